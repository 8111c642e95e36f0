'The demo on the first page: this project\'s network, run by onnxruntime-web, which npm fetches.'
import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = 'onnxruntime-web', '1.30.0'
INTEGRITY = 'sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=='
RUNTIME = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']   # 14 MB of the package's 140
OURS = ['draw.js', 'draw.css', 'result.js', 'result.css', 'prepare.js']                        # the widget's own files
MODEL = 'models/mnist_cnn_model.onnx'


def fetch_runtime(folder: Path):
    'The three files of onnxruntime-web, from npm or its cache, if they are what they were when this was written.'
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(['npm', 'pack', f'{PACKAGE}@{VERSION}', '--prefer-offline', '--silent', '--pack-destination', temporary],
                       check=True, capture_output=True, text=True, timeout=300, cwd=temporary)
        archive = next(Path(temporary).glob('*.tgz'))
        found = 'sha512-' + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY: raise ValueError(f'{PACKAGE} {VERSION} from npm is not the one that was tested: {found}')
        with tarfile.open(archive) as files:
            for name in RUNTIME: (folder / name).write_bytes(files.extractfile(f'package/dist/{name}').read())


def still(root: Path) -> bytes:
    'The picture of the widget that the widget\'s notebook shows, for readers without JavaScript.'
    cells = json.loads((root / 'nbs' / '04_widget.ipynb').read_text(encoding='utf-8'))['cells']
    pictures = [output['data']['image/png'] for cell in cells for output in cell.get('outputs', []) if 'image/png' in output.get('data', {})]
    return base64.b64decode(''.join(pictures[0]))


def travels(folder: Path) -> dict:
    'How many megabytes a reader fetches with the first stroke, packed as web servers pack them, and unpacked.'
    names = [*RUNTIME, 'model.onnx', 'model.json']
    packed = {name: len(gzip.compress((folder / name).read_bytes(), 6)) for name in names}
    weights = packed['model.onnx'] / 1e6
    return dict(all=f'{sum(packed.values()) / 1e6:.1f}', weights=f'{weights:.1f}', runtime=f'{sum(packed.values()) / 1e6 - weights:.1f}',
                unpacked=f'{sum((folder / name).stat().st_size for name in names) / 1e6:.1f}')


def add_demo(root: Path, folder: Path) -> dict:
    'Put the files of the demo together; gives the block for the first page and a sentence for the log.'
    folder.mkdir(parents=True)
    (folder / 'still.png').write_bytes(still(root))
    try:
        if not (root / MODEL).exists(): raise FileNotFoundError(f'there is no {MODEL}')
        if not shutil.which('npm'): raise FileNotFoundError('npm is not installed, and onnxruntime-web comes from there')
        fetch_runtime(folder)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = (getattr(error, 'stderr', '') or str(error)).strip().splitlines()[-1]
        return dict(live=False, block=picture('A still of the drawing pad: this copy of the site was built without the live one.'),
                    says=f'WITHOUT the demo on the first page: {reason}')
    for name in OURS: shutil.copy(root / 'mnist_cnn' / 'static' / name, folder / name)
    for name in ('demo.js', 'network.js', 'demo.css'): shutil.copy(root / 'docs' / 'demo' / name, folder / name)
    shutil.copy(root / MODEL, folder / 'model.onnx')
    facts = json.loads((root / 'models' / 'mnist_cnn_model.json').read_text(encoding='utf-8'))
    (folder / 'model.json').write_text(json.dumps(dict(calibration=facts['calibration'], sha256=facts['sha256'])))
    size = travels(folder)
    return dict(live=True, block=live(size), says=f'with the demo ({size["all"]} MB with the first stroke)')


def picture(words: str) -> str:
    return f'<div class="demo-still"><img src="demo/still.png" alt="A drawn two, ten bars of which the one for 2 is high, and the 28x28 image that the network sees"><p>{words}</p></div>'


def live(size: dict) -> str:
    'The pad; and in its place, until its program runs, a picture and a sentence.'
    waiting = picture('This is a picture of the drawing pad. The live one needs JavaScript, and this page needs to come from a web server: '
                      '<code>python -m http.server --directory _docs</code>.')
    return f"""<link rel="stylesheet" href="demo/draw.css"><link rel="stylesheet" href="demo/result.css"><link rel="stylesheet" href="demo/demo.css">
<div id="demo" class="mc" data-megabytes="{size['all']}">{waiting}
<p class="demo-note">This runs in your browser: what you draw stays there. Your first stroke fetches {size['all']} MB
({size['weights']} MB of weights and {size['runtime']} MB of <a href="https://onnxruntime.ai/docs/tutorials/web/">onnxruntime-web</a> {VERSION}, MIT licence, to run them;
{size['unpacked']} MB unpacked). What happens to the drawing is told in <a href="imaging.html">From any picture to 28x28</a>.</p></div>
<script type="module" src="demo/demo.js"></script>"""
