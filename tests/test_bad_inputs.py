'Awkward and hostile inputs: each ends in the right digit, in a doubt, or in one sentence of our own.'
import gzip
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from mnist_cnn.data import DataError, load_mnist, read_idx, read_split
from mnist_cnn.imaging import ImageError, MissingImage
from mnist_cnn.inference import predict, read_digits
from mnist_cnn.model import MNISTCNN, WeightsError, load_model

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / 'mnist_cnn' / 'sample'
CORPUS = ROOT.parent / 'shared' / 'checks' / 'bad_inputs.py'
SECONDS, MEGABYTES = 2, 300   # of processor time, of memory beyond what was there


def refused(kind, call, *names):
    'The sentence with which `call()` ends: short, in our own words, about the file.'
    with pytest.raises(ValueError) as caught: call()
    assert isinstance(caught.value, kind), f'{type(caught.value).__name__}: {caught.value}'
    sentence = str(caught.value)
    assert 10 < len(sentence) < 500 and '\n' not in sentence and not sentence.endswith('.') and 'Traceback' not in sentence and 'Error' not in sentence, sentence
    for name in names: assert name in sentence, sentence
    return sentence


def judge(source, expected, *names):
    'Predict, and compare with `7`, `doubt` or `refuse`.'
    start = time.process_time()
    if expected == 'refuse': refused(ImageError, lambda: predict(source), *names)
    else:
        found = predict(source)
        if expected == 'doubt': assert found.status != 'ok', found
        else: assert found.digit == expected, found
    assert time.process_time() - start < SECONDS


@pytest.fixture(scope='module', autouse=True)
def warm():
    'The first prediction loads the weights; that is not what is timed.'
    predict(np.zeros((28, 28), np.uint8))


# ---- pictures

def seven(size=(220, 180), ink=25, paper=240, mode='L'):
    'A seven of two straight strokes.'
    picture, (w, h) = Image.new('L', size, paper), size
    ImageDraw.Draw(picture).line([(.32 * w, .22 * h), (.7 * w, .22 * h), (.44 * w, .8 * h)], fill=ink, width=max(2, w // 15), joint='curve')
    return picture.convert(mode)


def encode(picture, kind='PNG', **options):
    'The bytes of a picture file.'
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height, body=b''):
    'A PNG file of one bit a pixel that promises a lot in its header.'
    header = struct.pack('>IIBBBBB', width, height, 1, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(body, 9)) + chunk(b'IEND', b'')


def on_glass(ink):
    'The seven on a transparent canvas.'
    mask = seven().point(lambda value: 255 if value < 128 else 0)
    canvas = Image.new('RGBA', mask.size)
    canvas.paste((ink, ink, ink, 255), mask=mask)
    return canvas


def turned():
    'A JPEG that lies on its side and says so.'
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(seven().rotate(90, expand=True), 'JPEG', exif=exif, quality=92)


def row(count):
    'Several sevens.'
    picture = Image.new('L', (20 + 130 * count, 130), 250)
    for k in range(count): picture.paste(seven((110, 110), paper=250), (10 + 130 * k, 10))
    return picture


PNG, JPEG = encode(seven()), encode(seven(), 'JPEG', quality=90)
NOISE = np.random.default_rng(0).integers(0, 256, (220, 180), dtype=np.uint8)
SPECK = np.full((200, 200), 255, np.uint8)
SPECK[99:102, 99:102] = 0
PICTURES = {
    # broken or hostile
    'nothing': (b'', 'refuse'), 'half a PNG': (PNG[:len(PNG) // 2], 'refuse'), 'a third of a JPEG': (JPEG[:len(JPEG) // 3], 'refuse'),
    'only a header': (PNG[:33], 'refuse'), 'wrong checksum': (PNG[:29] + bytes(4) + PNG[33:], 'refuse'), 'PNG of garbage': (PNG[:41] + b'\xff' * 99 + PNG[140:], 'refuse'),
    '3.6 gigapixels': (png(60_000, 60_000, bytes(9999)), 'refuse'), '100 megapixels': (png(10_000, 10_000, bytes(9999)), 'refuse'),
    '26 megapixels': (png(5200, 5000), 'refuse'), 'no pixels': (png(0, 9), 'refuse'),
    'text bomb': (PNG[:33] + chunk(b'zTXt', b'c\0\0' + zlib.compress(bytes(20_000_000), 9)) + PNG[33:], 'refuse'),
    'web page': (b'<!doctype html><script>alert(1)</script>', 'refuse'), 'SVG': (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'refuse'),
    'PDF': (b'%PDF-1.7\n%%EOF', 'refuse'), 'PostScript': (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n', 'refuse'),
    'BMP': (encode(seven(), 'BMP'), 'refuse'), 'GIF': (encode(seven(), 'GIF', save_all=True, append_images=[seven(ink=90)] * 9), 'refuse'),
    'TIFF': (encode(seven(), 'TIFF'), 'refuse'), 'PPM': (encode(seven(), 'PPM'), 'refuse'),
    # unusual, but a seven
    'PNG': (PNG, 7), 'JPEG': (JPEG, 7), 'CMYK': (encode(seven(mode='CMYK'), 'JPEG'), 7), 'one bit': (encode(seven(mode='1')), 7), 'grey and alpha': (encode(seven(mode='LA')), 7),
    '16 bits': (encode(Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257)), 7), 'palette': (encode(seven(mode='RGB').quantize(8)), 7),
    'palette with a transparent colour': (encode(seven(mode='RGB').quantize(8), transparency=0), 7),
    'black on glass': (encode(on_glass(0)), 7), 'white on glass': (encode(on_glass(255)), 7), 'grey on glass': (encode(on_glass(90).convert('LA')), 7),
    'on its side': (turned(), 7), 'white on black, 28x28': (encode(Image.eval(seven((28, 28)), lambda value: 255 - value)), 7),
    '12 megapixels': (encode(seven((4000, 3000)), 'JPEG', quality=85), 7), 'dark mode': (encode(seven(ink=230, paper=20)), 7), 'far off in a wide page': (encode(ImageOps.expand(seven((110, 120)), (20, 10, 770, 10), 240)), 7),
    # pictures without one digit
    'white': (encode(Image.new('L', (200, 200), 255)), 'doubt'), 'black': (encode(Image.new('L', (200, 200))), 'doubt'), 'grey': (encode(Image.new('RGB', (200, 200), (128, 130, 120))), 'doubt'),
    'transparent': (encode(Image.new('RGBA', (200, 200))), 'doubt'), 'one pixel': (encode(Image.new('L', (1, 1))), 'doubt'), 'one row': (encode(Image.new('L', (10_000, 1), 255)), 'doubt'),
    'one column': (encode(Image.new('RGB', (1, 9000), 'white')), 'doubt'), 'noise': (encode(Image.fromarray(NOISE)), 'doubt'), 'speck': (encode(Image.fromarray(SPECK)), 'doubt'),
    'three sevens': (encode(row(3)), 'doubt'), 'eight sevens': (encode(row(8), 'JPEG'), 'doubt'),
}


@pytest.mark.parametrize('name', PICTURES)
def test_picture(name, tmp_path):
    'As bytes, and as a file of a name that says nothing.'
    content, expected = PICTURES[name]
    judge(content, expected)
    path = tmp_path / 'upload.png'
    path.write_bytes(content)
    judge(path, expected, *([str(path)] if expected == 'refuse' else []))


NAMES = ['SEVEN.JPEG', 'noext', '.png', '日本語 7.png', '<img src=x onerror=alert(1)>.png', 'a;rm -rf .png', '..\\..\\win.png', 'con.png', 'really.txt', 'new\nline.png']

@pytest.mark.parametrize('name', NAMES)
def test_name_means_nothing(name, tmp_path):
    (tmp_path / name).write_bytes(JPEG)
    judge(tmp_path / name, 7)
    judge(str(tmp_path / name), 7)


@pytest.mark.parametrize('name', ['nowhere.png', '', 'x' * 300 + '.png', 'a\0b.png', 'nowhere/at/all.png', 'upload.png/inside.png'])
def test_no_such_picture(name, tmp_path):
    (tmp_path / 'upload.png').write_bytes(PNG)
    judge(f'{tmp_path}/{name}', 'refuse')
    if name.startswith('nowhere'):
        with pytest.raises(FileNotFoundError, match='nowhere'): predict(tmp_path / name)
        assert issubclass(MissingImage, ImageError)


def test_unreadable_picture(tmp_path):
    path = tmp_path / 'secret.png'
    path.write_bytes(PNG)
    path.chmod(0)
    if os.access(path, os.R_OK): pytest.skip('this user may read everything')
    judge(path, 'refuse', 'secret.png')


INK = 255 - np.asarray(seven((28, 28)))
ARRAYS = {
    'bytes': (INK, 7), 'fractions': (INK / 255, 7), 'floats to 255': (INK.astype(np.float32), 7), 'truth values': (INK > 128, 7), 'int64': (INK.astype(np.int64), 7), 'half floats': ((INK / 255).astype(np.float16), 7),
    'channel first': (INK[None], 7), 'batch of one': (INK[None, None], 7), 'channel last': (INK[..., None], 7), 'colour': (np.repeat(INK[..., None], 3, 2), 7), 'not contiguous': (np.repeat(INK, 2, 1)[:, ::2], 7),
    'big-endian': (INK.astype('>f4'), 7), 'read-only': (np.frombuffer(INK.tobytes(), np.uint8).reshape(28, 28), 7), 'tensor': (torch.from_numpy(INK.copy()), 7), 'tensor with a gradient': (torch.from_numpy(INK / 255).requires_grad_(), 7),
    'PIL': (seven(), 7), 'PIL, floats': (Image.fromarray(np.asarray(seven()).astype(np.float32)), 7), 'bytearray': (bytearray(PNG), 7), 'memoryview': (memoryview(PNG), 7),
    'NaN': (np.where(INK > 200, np.nan, INK / 255), 'refuse'), 'infinite': (np.where(INK > 200, np.inf, INK / 255), 'refuse'), 'negative': (INK.astype(float) - 300, 'refuse'), 'too large': (INK.astype(int) * 257, 'refuse'),
    'normalised': ((INK / 255 - .1307) / .3081, 'refuse'), 'batch of five': (np.repeat(INK[None, None], 5, 0), 'refuse'), 'two channels': (np.zeros((28, 28, 2), np.uint8), 'refuse'), 'one row of 784': (INK.ravel(), 'refuse'),
    'scalar': (np.uint8(7), 'refuse'), '0-d': (np.array(7), 'refuse'), 'empty': (np.zeros((0, 28), np.uint8), 'refuse'), 'empty batch': (np.zeros((0, 1, 28, 28), np.uint8), 'refuse'), 'text': (np.array([['7']]), 'refuse'), 'complex': (INK.astype(complex), 'refuse'),
    'objects': (np.array([[None, 1]], dtype=object), 'refuse'), 'records': (np.zeros((28, 28), [('grey', 'u1')]), 'refuse'), 'dates': (np.zeros((28, 28), 'M8[s]'), 'refuse'), 'huge': (np.broadcast_to(np.uint8(0), (99_999, 99_999)), 'refuse'),
    'None': (None, 'refuse'), 'a number': (7, 'refuse'), 'a list': (INK.tolist(), 'refuse'), 'a dict': ({}, 'refuse'), 'blank': (np.zeros((28, 28)), 'doubt'), 'blank, white': (np.ones((28, 28)), 'doubt'),
}


@pytest.mark.parametrize('name', ARRAYS)
def test_array(name):
    judge(*ARRAYS[name])


def test_several_digits_at_once():
    assert [found.digit for found in read_digits(encode(row(3)))] == [7, 7, 7]
    assert read_digits(encode(Image.new('L', (200, 200), 255))) == []
    refused(ImageError, lambda: read_digits(b''))


MEASURE = '''
import json, resource, sys, time
from pathlib import Path
from mnist_cnn.imaging import ImageError, prepare
prepare(Path(sys.argv[1]).read_bytes())
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024   # megabytes; on macOS bytes
used, result = peak(), {}
for name in sys.argv[2:]:
    start = time.process_time()
    try: prepare(name)
    except ImageError: pass
    result[name] = peak() - used, time.process_time() - start
assert 'torch' not in sys.modules
print(json.dumps(result))
'''

@pytest.mark.skipif(sys.platform != 'linux', reason='reads memory as Linux counts it')
def test_memory(tmp_path):
    'What asks for much gets little: a process of its own, so that the peak is its own.'
    big = Image.new('RGBA', (5000, 5000), (255, 255, 255, 255))
    big.paste((0, 0, 0, 0), (0, 0, 5000, 100))
    files = {'seven.png': PNG, 'bomb.png': png(60_000, 60_000, bytes(20_000_000)), 'wide.png': png(25_000_000, 1, bytes(3_125_001)), 'text.png': PICTURES['text bomb'][0],
             'large.png': encode(big, compress_level=1), 'deep.png': encode(Image.fromarray(np.zeros((5000, 5000), np.uint16)), compress_level=1),
             'large.jpg': encode(big.convert('RGB'), 'JPEG'), 'slow.jpg': encode(big.convert('RGB'), 'JPEG', progressive=True)}
    for name, content in files.items(): (tmp_path / name).write_bytes(content)
    told = subprocess.run([sys.executable, '-c', MEASURE, *files], cwd=tmp_path, env=os.environ | dict(PYTHONPATH=str(ROOT)), capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    for name, (megabytes, seconds) in json.loads(told.stdout).items(): assert megabytes < MEGABYTES and seconds < SECONDS, (name, megabytes, seconds)


# ---- weights

def saved(thing):
    'What `torch.save` writes.'
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


class Boom:
    'A pickle that leaves a mark when it is loaded.'
    def __init__(self, mark): self.mark = mark
    def __reduce__(self): return Path.touch, (self.mark,)


def zipped(mark):
    'A malicious pickle, packed as torch packs.'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, data in [('data.pkl', pickle.dumps({'fc1.weight': Boom(mark)}, 2)), ('version', b'3\n'), ('byteorder', b'little')]: archive.writestr(f'archive/{name}', data)
    return buffer.getvalue()


def flipped(data):
    'One bit of a weight is wrong.'
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    return bytes(changed)


STATE = MNISTCNN().state_dict()
WEIGHTS = {
    'nothing': lambda mark: b'', 'web page': lambda mark: b'<html>404</html>', 'git-lfs pointer': lambda mark: b'version https://git-lfs.github.com/spec/v1\noid sha256:00\n', 'prose': lambda mark: b'once upon a time',
    'evil pickle': lambda mark: pickle.dumps({'fc1.weight': Boom(mark)}), 'evil archive': zipped, 'evil checkpoint': lambda mark: saved({'state_dict': Boom(mark)}),
    'cut short': lambda mark: saved(STATE)[:-200], 'cut to half': lambda mark: saved(STATE)[:800_000], 'one bit wrong': lambda mark: flipped(saved(STATE)),
    'another network': lambda mark: saved({'features.0.weight': torch.zeros(64, 3, 11, 11)}), 'a part missing': lambda mark: saved({name: value for name, value in STATE.items() if name != 'fc2.bias'}),
    'a part too many': lambda mark: saved(STATE | {'extra': torch.zeros(1)}), 'wrong shapes': lambda mark: saved(STATE | {'conv1.weight': torch.zeros(16, 3, 5, 5)}), 'NaN': lambda mark: saved({name: value + float('nan') for name, value in STATE.items()}),
    'infinite': lambda mark: saved(STATE | {'fc2.bias': torch.full((10,), float('inf'))}), 'whole numbers': lambda mark: saved({name: value.long() for name, value in STATE.items()}), 'whole module': lambda mark: saved(MNISTCNN()), 'bare tensor': lambda mark: saved(torch.zeros(3)),
    'a list': lambda mark: saved([1, 2]), 'empty dict': lambda mark: saved({}), 'an archive of something else': lambda mark: b'PK\5\6' + bytes(18), 'a picture': lambda mark: PNG,
}


@pytest.mark.parametrize('name', WEIGHTS)
def test_weights(name, tmp_path):
    mark, path = tmp_path / 'PWNED', tmp_path / 'weights.pth'
    path.write_bytes(WEIGHTS[name](mark))
    start = time.process_time()
    refused(WeightsError, lambda: load_model(path), str(path))
    assert time.process_time() - start < SECONDS and sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('text', ['', '{', '[]', '7', '{"sha256": "00"}'])
def test_weights_with_bad_metadata(text, tmp_path):
    (tmp_path / 'weights.pth').write_bytes(saved(STATE))
    load_model(tmp_path / 'weights.pth')
    (tmp_path / 'weights.json').write_text(text)
    refused(WeightsError, lambda: load_model(tmp_path / 'weights.pth'), str(tmp_path / 'weights.'))


@pytest.mark.parametrize('name', ['nowhere.pth', '', 'x' * 300])
def test_no_such_weights(name, tmp_path):
    refused(WeightsError, lambda: load_model(tmp_path / name), str(tmp_path))


# ---- data

def idx(kind, dims, body): return struct.pack('>I', kind) + b''.join(struct.pack('>I', size) for size in dims) + body

FOUR = idx(0x803, (4, 28, 28), bytes(4 * 784))
DATA = {   # which of MNIST's files is bad, and what is in it
    'labels for images': ('train-images-idx3', idx(0x801, (4,), bytes(4))), 'wrong magic': ('train-images-idx3', idx(0x801, (4, 28, 28), bytes(4 * 784))), 'floats': ('train-images-idx3', idx(0xD03, (4, 28, 28), bytes(16 * 784))),
    'too short': ('train-images-idx3', FOUR[:-100]), 'too long': ('t10k-images-idx3', FOUR + bytes(9)), 'promises 3.4 TB': ('train-images-idx3', idx(0x803, (0xFFFFFFFF, 28, 28), bytes(784))), 'other size': ('train-images-idx3', idx(0x803, (1, 32, 32), bytes(1024))),
    'no images': ('train-images-idx3', idx(0x803, (0, 28, 28), b'')), 'header cut': ('train-images-idx3', FOUR[:6]), 'nothing': ('train-labels-idx1', b''), 'web page': ('train-images-idx3', b'<html>log in</html>'), 'gzip cut': ('train-images-idx3', gzip.compress(FOUR)[:-10]),
    'gzip wrong inside': ('t10k-labels-idx1', gzip.compress(bytes(99))[:20] + b'\xff' * 30), 'gzip bomb': ('train-images-idx3', gzip.compress(bytes(220_000_000), 1)), 'label 11': ('train-labels-idx1', idx(0x801, (4000,), bytes(3999) + b'\x0b')), 'too few labels': ('t10k-labels-idx1', idx(0x801, (3,), bytes(3))),
}


@pytest.mark.parametrize('name', DATA)
def test_data(name, tmp_path):
    'A folder with MNIST in it, of which one file is bad, plain under the gzipped name.'
    stem, content = DATA[name]
    folder = Path(shutil.copytree(SAMPLE, tmp_path / 'mnist'))
    bad = folder / f'{stem}-ubyte.gz'
    bad.write_bytes(content)
    start = time.process_time()
    refused(DataError, lambda: load_mnist(folder), str(bad))
    assert time.process_time() - start < SECONDS


def test_data_missing(tmp_path):
    refused(DataError, lambda: load_mnist(tmp_path), str(tmp_path))
    refused(DataError, lambda: load_mnist(tmp_path / 'nowhere'), 'nowhere')
    refused(DataError, lambda: load_mnist(source='somewhere'), 'somewhere')
    refused(DataError, lambda: read_idx(tmp_path), str(tmp_path))
    refused(DataError, lambda: read_split(tmp_path / 'a', tmp_path / 'b'), str(tmp_path / 'a'))
    (tmp_path / 'train-images-idx3-ubyte').write_bytes(FOUR)
    assert read_idx(tmp_path / 'train-images-idx3-ubyte').shape == (4, 28, 28)
    refused(DataError, lambda: load_mnist(tmp_path), 'train-images-idx3-ubyte')


# ---- the corpus that lies beside the checkout of the project's makers

def judge_official(case, folder):
    'One case of its manifest.'
    path, expected = folder / case['path'], {'digit:7': 7, 'uncertain': 'doubt', 'reject': 'refuse', 'refuse': 'refuse'}[case['expect']]
    if case['surface'] == 'load_model': refused(WeightsError, lambda: load_model(path), str(path))
    elif case['surface'] == 'load_mnist':
        mnist = Path(shutil.copytree(SAMPLE, folder / 'mnist', dirs_exist_ok=True))
        bad = mnist / f"train-{'labels-idx1' if 'label' in case['id'] else 'images-idx3'}-ubyte.gz"
        shutil.copy(path, bad)
        refused(DataError, lambda: load_mnist(mnist), str(bad))
    elif case['surface'] == 'predict(array)':
        try: judge(np.load(path), expected)
        except ValueError as error:
            if 'allow_pickle' not in str(error): raise   # NumPy itself refuses objects
    else:
        judge(path, expected)
        if path.is_file(): judge(path.read_bytes(), expected)


@pytest.mark.skipif(not CORPUS.exists(), reason=f'there is no {CORPUS}')
def test_official_corpus(tmp_path):
    made = subprocess.run([sys.executable, CORPUS, tmp_path], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    cases = [case for case in json.loads((tmp_path / 'manifest.json').read_text()) if case['path'] and ('predict' in case['surface'] or case['surface'] in ('load_model', 'load_mnist'))]
    faults = []
    for case in cases:
        try: judge_official(case, tmp_path)
        except Exception as error: faults.append(f"{case['id']} ({case['expect']}): {type(error).__name__}: {error}")
        except pytest.fail.Exception as error: faults.append(f"{case['id']} ({case['expect']}): {error}")
    assert len(cases) > 60 and not faults, '\n'.join(faults)
    assert not (tmp_path / 'PWNED').exists()
