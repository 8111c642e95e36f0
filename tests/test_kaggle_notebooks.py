'The notebooks for Kaggle, run whole in a stand-in for Kaggle: no mnist_cnn, no network, both layouts of inputs, a GPU that only pretends.'
import gzip
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from mnist_cnn.data import load_mnist
from mnist_cnn.kaggle import build
from mnist_cnn.model import default_weights, load_model

ROOT = Path(__file__).resolve().parent.parent
LAYOUTS = {'old': ('mnist-dataset', 'digit-recognizer', 'mnist-training'),
           'new': ('datasets/hojjatk/mnist-dataset', 'competitions/digit-recognizer', 'notebooks/ada/mnist-training')}

# runs in the kernel before anything else
ALONE = '''
import socket, sys

class NoPackage:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'mnist_cnn': raise ModuleNotFoundError('mnist_cnn is not installed here', name=name)

sys.meta_path.insert(0, NoPackage())
connect = socket.socket.connect
def guarded(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ('127.0.0.1', '::1', 'localhost'): raise OSError('the network is off')
    return connect(self, address)
socket.socket.connect = guarded
'''
# says that it is available, and fails at its first operation, as a P100 does under PyTorch 2.10
BROKEN_GPU = '''
import torch
conv2d, ones, available = torch.nn.functional.conv2d, torch.ones, torch.cuda.is_available
def fails(images, *rest, **more):
    if images.device.type == 'cpu': return conv2d(images, *rest, **more)
    torch.cuda.is_available = available     # or the rest of PyTorch would believe it too
    raise RuntimeError('CUDA error: no kernel image is available for execution on the device')
torch.nn.functional.conv2d = fails
torch.ones = lambda *sizes, device='cpu', **more: ones(*sizes, device='cpu' if str(device) == 'cpu' else 'meta', **more)
torch.cuda.is_available = lambda: True
'''


def test_committed_notebooks_are_what_their_sources_give(tmp_path):
    for path in build(ROOT, tmp_path):
        committed = ROOT / 'kaggle' / path.relative_to(tmp_path)
        assert committed.read_text() == path.read_text(), f'{committed.name} is out of date: python tools/build.py'


@pytest.mark.parametrize('name', ['mnist_training', 'kaggle_web_app'])
def test_notebooks_are_plain(name):
    notebook = nbformat.read(ROOT / 'kaggle' / f'{name}.ipynb', as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == 'code']
    assert max(len(line) for cell in code for line in cell.splitlines()) < 160
    assert not any('mnist_cnn import' in cell or '#|' in cell for cell in code)
    [parameters] = [cell.source for cell in notebook.cells if 'parameters' in cell.metadata.get('tags', [])]
    values = {}
    exec(parameters, values)
    assert values['kaggle_root'] == '/kaggle' and {'epochs', 'seed'} <= set(values)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == 'code')


@pytest.fixture
def tree(tmp_path):
    'Makes a /kaggle with a few digits of the sample: `tree(layout, mnist=..., competition=..., weights=...)`.'
    sample, files = load_mnist(source='sample'), ROOT / 'mnist_cnn' / 'sample'

    def idx(name, count, folder):
        'The first digits of a file of the sample, as Kaggle has it: beside a folder of nearly the same name with the same file.'
        data = gzip.decompress((files / f'{name}.gz').read_bytes())
        size = 784 if 'idx3' in name else 1
        head = 16 if 'idx3' in name else 8
        data = data[:4] + count.to_bytes(4, 'big') + data[8:head + size * count]
        (folder / name).mkdir(parents=True)
        (folder / name / name).write_bytes(data)
        (folder / name.replace('-idx', '.idx')).write_bytes(data)

    def make(layout, mnist=True, competition=False, weights=False):
        places = [tmp_path / 'kaggle' / 'input' / below for below in LAYOUTS[layout]]
        if mnist:
            for kind, count in (('train', 700), ('t10k', 150)):
                idx(f'{kind}-images-idx3-ubyte', count, places[0])
                idx(f'{kind}-labels-idx1-ubyte', count, places[0])
        if competition:
            places[1].mkdir(parents=True)
            names = [f'pixel{k}' for k in range(784)]
            rows = [','.join(map(str, image.flatten().tolist())) for image in sample.train.images[:600]]
            labelled = [f'{label},{row}' for label, row in zip(sample.train.labels.tolist(), rows)]
            (places[1] / 'train.csv').write_text('\n'.join([','.join(['label', *names]), *labelled]) + '\n')
            (places[1] / 'test.csv').write_text('\n'.join([','.join(names), *rows[:90]]) + '\n')
            (places[1] / 'sample_submission.csv').write_text('ImageId,Label\n' + ''.join(f'{k},0\n' for k in range(1, 91)))
        if weights:
            places[2].mkdir(parents=True)
            for end in ('.pth', '.json'): shutil.copy(default_weights().with_suffix(end), places[2])
        (tmp_path / 'kaggle' / 'input').mkdir(parents=True, exist_ok=True)
        return tmp_path / 'kaggle'
    return make


def run(name, kaggle_root, first='', last='', run_type=None, **parameters):
    'Run a notebook whole in a kernel of its own, far from this repository; gives all that it printed.'
    from nbclient import NotebookClient
    notebook = nbformat.read(ROOT / 'kaggle' / f'{name}.ipynb', as_version=4)
    at = next(i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', []))
    values = dict(kaggle_root=str(kaggle_root)) | parameters
    injected = '\n'.join(f'{key} = {value!r}' for key, value in values.items())     # as papermill does
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(f'{first}\n{injected}'))
    if last: notebook.cells.append(nbformat.v4.new_code_cell(last))
    alone, home = kaggle_root.parent / 'alone', kaggle_root.parent / 'home'
    for folder in (alone, home): folder.mkdir(exist_ok=True)
    (alone / 'sitecustomize.py').write_text(ALONE)
    unwanted = ('MNIST_ROOT', 'MNIST_CNN_PAGE', 'KAGGLE_KERNEL_RUN_TYPE', 'PYTHONPATH')
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    environment |= dict(PYTHONPATH=str(alone), HOME=str(home), OMP_WAIT_POLICY='PASSIVE', TQDM_DISABLE='1', GRADIO_ANALYTICS_ENABLED='False')
    environment.pop('MPLBACKEND', None)     # the kernel has a backend of its own, which shows
    if run_type: environment['KAGGLE_KERNEL_RUN_TYPE'] = run_type
    NotebookClient(notebook, timeout=600, kernel_name='python3', resources=dict(metadata=dict(path=str(home)))).execute(env=environment)
    outputs = [output for cell in notebook.cells if cell.cell_type == 'code' for output in cell.outputs]
    pictures = sum('image/png' in output.get('data', {}) for output in outputs)
    return '\n'.join(output.get('text', '') or output.get('data', {}).get('text/plain', '') for output in outputs), pictures


@pytest.mark.slow
def test_training_with_everything_attached(tree):
    root = tree('old', competition=True)
    said, pictures = run('mnist_training', root, run_type='Batch', epochs=1, networks=2)
    assert 'MNIST: 700 images to train on, 150 for the examination' in said and 'seed 1: ' in said
    assert pictures >= 9
    made = {path.name for path in (root / 'working').iterdir()}
    assert made == {'mnist_cnn_model.pth', 'mnist_cnn_model.json', 'curves.png', 'submission.csv'}
    answers = (root / 'working' / 'submission.csv').read_text().splitlines()
    assert answers[0] == 'ImageId,Label' and len(answers) == 91 and answers[90].startswith('90,')
    model = load_model(root / 'working' / 'mnist_cnn_model.pth')     # its digest fits the JSON
    assert model.metadata['data'] == dict(name='MNIST', train=700, test=150) and model.metadata['epochs'] == 1
    assert 0 < model.metadata['calibration']['temperature'] < 3


@pytest.mark.slow
def test_training_in_two_processes(tree):
    root = tree('new')
    said, _ = run('mnist_training', root, epochs=1, networks=1, processes=2, device='cpu')
    assert 'trained on CPU with 1 threads, 2 processes' in said and 'not attached, so there is no submission' in said
    assert load_model(root / 'working' / 'mnist_cnn_model.pth').metadata['device'].endswith('2 processes')


@pytest.mark.slow
def test_training_with_the_competition_alone_on_a_gpu_that_only_pretends(tree):
    root = tree('new', mnist=False, competition=True)
    said, _ = run('mnist_training', root, first=BROKEN_GPU, epochs=1, networks=1)
    assert 'cuda is there but does not work' in said and 'trained on CPU' in said
    assert 'Digit Recognizer: 500 images to train on, 100 for the examination' in said
    assert len((root / 'working' / 'submission.csv').read_text().splitlines()) == 91
    assert load_model(root / 'working' / 'mnist_cnn_model.pth').metadata['data']['name'] == 'Digit Recognizer'


@pytest.mark.slow
def test_training_with_nothing_attached_says_so(tree):
    with pytest.raises(Exception, match='add the dataset hojjatk/mnist-dataset or the competition'):
        run('mnist_training', tree('new', mnist=False))


@pytest.mark.slow
def test_web_app_skips_itself_in_a_batch_run(tree):
    said, pictures = run('kaggle_web_app', tree('new', mnist=False, weights=True), run_type='Batch')
    assert 'the app is skipped' in said and 'accuracy 99.' in said and 'DigitCanvas()' not in said
    assert 'Prediction(7' in said and pictures == 1


@pytest.mark.slow
def test_web_app_without_weights_and_network_trains_and_shows_the_canvas(tree):
    said, pictures = run('kaggle_web_app', tree('old'), run_type='Interactive', epochs=1)
    assert 'a quick network, trained here' in said and 'DigitCanvas()' in said and 'DigitUpload()' in said


@pytest.mark.slow
def test_web_app_with_gradio_reads_a_drawing(tree):
    pytest.importorskip('gradio')
    drawn = '''
from gradio_client import Client, handle_file
page.save('seven.png')
client = Client(address, verbose=False)
print('UPLOAD', client.predict(handle_file('seven.png'), api_name='/read_1')[0]['label'])
print('SKETCH', client.predict(dict(background=None, layers=[], composite=handle_file('seven.png')), api_name='/read')[0]['label'])
print('EMPTY', read(None)[0], read(dict(composite=Image.new('RGBA', (400, 400))))[0])
'''
    said, _ = run('kaggle_web_app', tree('new', mnist=False, weights=True), last=drawn, app='gradio')
    assert 'http://127.0.0.1' in said and 'UPLOAD 7' in said and 'SKETCH 7' in said and 'EMPTY {} {}' in said


@pytest.mark.slow
def test_web_app_with_nothing_attached_says_so(tree):
    with pytest.raises(Exception, match='neither weights nor MNIST are attached'):
        run('kaggle_web_app', tree('new', mnist=False))
