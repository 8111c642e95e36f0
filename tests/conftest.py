'How the tests run: in the folder of the notebooks, without a screen, the slow ones only when asked for.'
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault('MPLBACKEND', 'Agg')
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # threads that spin make a busy machine ten times slower
os.environ.setdefault('TQDM_DISABLE', '1')

# MNIST itself where it is at hand, else the sample: a test never downloads anything.
places = [Path(os.environ.get('MNIST_ROOT', '-')), ROOT.parent / 'shared' / 'data' / 'mnist', Path.home() / '.cache' / 'mnist_cnn', ROOT / 'mnist_cnn' / 'sample']
os.environ['MNIST_ROOT'] = str(next(place for place in places if place.is_dir()).resolve())


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


CHROMIUM = next((path for path in map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome')) if path), None)
FLAGS = [*'--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run'.split(),
         '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']   # nothing but this machine can be reached


@pytest.fixture(scope='module')
def browser():
    'A real browser without a window; its tests are skipped where there is none.'
    playwright = pytest.importorskip('playwright.sync_api', reason='playwright is not installed: pip install playwright')
    if CHROMIUM is None: pytest.skip('Chromium is not installed: apt-get install chromium')
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
