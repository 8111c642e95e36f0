"What goes wrong between here and Kaggle is one sentence, and the weights that are here stay."
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from mnist_cnn.cli import main
from mnist_cnn.data import load_mnist
from mnist_cnn.kaggle import KERNELS, kernel_metadata, slug
from mnist_cnn.model import MNISTCNN, load_model, save_model


@pytest.fixture
def kaggle(tmp_path, monkeypatch):
    "Puts a program in the place of Kaggle's command: `kaggle(python code)`; `words` are its arguments."
    def put(code):
        program = tmp_path / 'bin' / 'kaggle'
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!{sys.executable}\nimport shutil, sys\nwords = sys.argv[1:]\n{code}\n')
        program.chmod(0o755)
        monkeypatch.setenv('PATH', f'{program.parent}{os.pathsep}{os.environ["PATH"]}')
    return put


def pulled(tmp_path, capfd, *words):
    'Pull onto a copy of the shipped weights; gives exit status, the sentence, and whether the copy is as it was.'
    target = tmp_path / 'models' / 'mnist_cnn_model.pth'
    if not target.exists():
        save_model(load_model(), target)
    before = [path.read_bytes() for path in sorted(target.parent.iterdir())]
    capfd.readouterr()
    status = main(['kaggle', 'pull', 'ada/mnist-training', '--out', str(target), *words])
    error = capfd.readouterr().err
    return status, error.strip(), before == [path.read_bytes() for path in sorted(target.parent.iterdir())]


SAID = {'who you are': ('print("Authentication required to call the Kaggle API.\\n\\nFirst, ..."); sys.exit(1)'),
        'is there a network': 'print("HTTPSConnectionPool(host=\'api.kaggle.com\', port=443): Max retries exceeded with url: /v1", file=sys.stderr); sys.exit(1)',
        'no such notebook': 'print("403 Client Error: Forbidden for url", file=sys.stderr); sys.exit(1)',
        r'not complete \(running\)': 'print(\'ada/mnist-training has status "KernelWorkerStatus.RUNNING"\')',
        r'not complete \(error\)': 'print(\'ada/mnist-training has status "KernelWorkerStatus.ERROR"\\nFailure message: "out of memory"\')',
        'has left no mnist_cnn_model.pth': 'print(\'x has status "KernelWorkerStatus.COMPLETE"\')',
        'failed: RuntimeError: a bug': 'print("RuntimeError: a bug", file=sys.stderr); sys.exit(1)'}


@pytest.mark.parametrize('sentence', SAID)
def test_what_kaggle_says_is_one_sentence(sentence, kaggle, tmp_path, capfd):
    kaggle(SAID[sentence])
    status, error, unchanged = pulled(tmp_path, capfd)
    assert status == 1 and unchanged and error.count('\n') == 0 and error.startswith('mnist-cnn: ')
    assert re.search(sentence, error)


def test_without_the_command(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr('shutil.which', lambda *args, **more: None)
    status, error, unchanged = pulled(tmp_path, capfd)
    assert status == 1 and unchanged and "pip install 'mnist_cnn[kaggle]'" in error


def test_the_real_command_without_credentials(tmp_path, capfd, monkeypatch):
    beside = str(Path(sys.executable).parent)
    if not (shutil.which('kaggle') or shutil.which('kaggle', path=beside)): pytest.skip("Kaggle's command is not installed")
    for name in [name for name in os.environ if name.startswith('KAGGLE')]: monkeypatch.delenv(name)
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.delenv('XDG_CONFIG_HOME', raising=False)
    status, error, unchanged = pulled(tmp_path, capfd)
    assert status == 1 and unchanged and 'kaggle auth login' in error and error.count('\n') == 0


def left(folder):
    'A program with a complete notebook that left what is in a folder.'
    return f'''
if words[:2] == ['kernels', 'status']: print('x has status "KernelWorkerStatus.COMPLETE"')
if words[:2] == ['kernels', 'output']: shutil.copytree({str(folder)!r}, words[4], dirs_exist_ok=True)
'''


def test_good_weights_replace_the_old_ones_and_say_what_they_replaced(kaggle, tmp_path, capfd):
    fresh = tmp_path / 'left' / 'mnist_cnn_model.pth'
    save_model(load_model(), fresh, accuracy=load_model().metadata['accuracy'], data=dict(name='MNIST'))
    kaggle(left(fresh.parent))
    status, error, unchanged = pulled(tmp_path, capfd)
    home = load_model(tmp_path / 'models' / 'mnist_cnn_model.pth').metadata
    assert status == 0 and not error and home['kernel'] == 'ada/mnist-training' and len(home['replaces']) == 64


@pytest.mark.parametrize('accuracy, floor, sentence', [(.995, '0.9999', 'is the least'), (.97, '0.99', 'claim 97.00%'), (1.5, '0.5', 'no share')])
def test_weights_that_are_not_good_enough(accuracy, floor, sentence, kaggle, tmp_path, capfd):
    fresh = tmp_path / 'left' / 'mnist_cnn_model.pth'
    save_model(load_model(), fresh, accuracy=accuracy)
    kaggle(left(fresh.parent))
    status, error, unchanged = pulled(tmp_path, capfd, '--floor', floor)
    if load_mnist().is_sample and floor == '0.9999': pytest.skip('the sample holds images that the shipped weights were trained on')
    assert status == 1 and unchanged and sentence in error


def test_a_claim_that_does_not_hold(kaggle, tmp_path, capfd):
    fresh = tmp_path / 'left' / 'mnist_cnn_model.pth'
    save_model(MNISTCNN(), fresh, accuracy=.995, data=dict(name='MNIST'))
    kaggle(left(fresh.parent))
    status, error, unchanged = pulled(tmp_path, capfd)
    assert status == 1 and unchanged and 'is the least' in error


@pytest.mark.parametrize('name', KERNELS)
def test_metadata_is_what_kaggles_command_asks_for(name):
    made = kernel_metadata(name, 'ada')
    assert made['id'] == f'ada/{slug(made["title"])}' and len(made['title']) >= 5
    assert made['enable_internet'] is False and (not made['enable_gpu'] or made['machine_shape'] == 'NvidiaTeslaT4')
    assert all('/' in source for key in ('dataset_sources', 'kernel_sources') for source in made[key])
