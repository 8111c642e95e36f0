'How the tests run: in the folder of the notebooks, without a screen, the slow ones only when asked for.'
import os
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault('MPLBACKEND', 'Agg')
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # threads that spin make a busy machine ten times slower
os.environ.setdefault('TQDM_DISABLE', '1')
mnist = ROOT.parent / 'shared' / 'data' / 'mnist'
if mnist.is_dir(): os.environ.setdefault('MNIST_ROOT', str(mnist))
elif 'MNIST_ROOT' not in os.environ and not (Path.home() / '.cache' / 'mnist_cnn').is_dir():
    os.environ['MNIST_ROOT'] = str(ROOT / 'mnist_cnn' / 'sample')


def pytest_configure(config):
    config.addinivalue_line('markers', 'slow: takes more than a few seconds; run with `pytest -m slow`')
    if not config.option.markexpr: config.option.markexpr = 'not slow'


@pytest.fixture(scope='module', autouse=True)
def in_nbs():
    'Cells of notebooks name files as seen from their folder.'
    before = os.getcwd()
    os.chdir(ROOT / 'nbs')
    yield
    os.chdir(before)


@pytest.fixture(autouse=True)
def close_figures():
    'Pictures are looked at in the notebooks; here they only cost memory.'
    yield
    import sys
    if 'matplotlib.pyplot' in sys.modules: sys.modules['matplotlib.pyplot'].close('all')
