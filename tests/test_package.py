'The package as a whole: what it imports, what it ships, and that it works where it is installed.'
import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def python(code, *args, **options):
    'Run code in a fresh interpreter; gives what it printed.'
    done = subprocess.run([sys.executable, '-c', code, *args], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    heavy = python('import sys, mnist_cnn; print([m for m in ("torch", "numpy", "cv2", "PIL", "matplotlib") if m in sys.modules])')
    assert heavy == '[]'


def test_predicting_needs_neither_torchvision_nor_matplotlib_nor_nbdev():
    code = '''import sys, mnist_cnn
assert mnist_cnn.predict(sys.argv[1]).digit == 7
print([m for m in ("torch", "torchvision", "matplotlib", "nbdev", "fastcore", "IPython", "ipywidgets") if m in sys.modules])'''
    assert python(code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg')) == '[]'


WITHOUT_TORCH = '''import sys
class Refuse:
    def find_spec(self, name, *where):
        if name.split('.')[0] == 'torch': raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Refuse())
'''


def test_an_install_without_torch_predicts():
    code = WITHOUT_TORCH + '''import mnist_cnn
for weights in (None, *sys.argv[2:]): assert mnist_cnn.predict(sys.argv[1], weights).digit == 7
try: mnist_cnn.Predictor(backend='torch')
except mnist_cnn.WeightsError as error: print(error)'''
    weights = [str(ROOT / 'models' / name) for name in ('mnist_cnn_model.onnx', 'mnist_cnn_model.int8.onnx')]
    said = python(code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg'), *weights)
    assert 'needs torch' in said and len(said.splitlines()) == 1


def test_without_torch_and_onnxruntime_a_sentence_says_what_to_install():
    code = WITHOUT_TORCH + '''sys.modules['onnxruntime'] = None
from mnist_cnn.cli import main
sys.exit(main(['predict', sys.argv[1]]) - 1)'''
    done = subprocess.run([sys.executable, '-c', code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg')], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.count('\n') == 1 and 'pip install onnxruntime' in done.stderr


def test_without_onnxruntime_torch_computes():
    code = '''import sys
sys.modules['onnxruntime'] = None
from mnist_cnn import Predictor, WeightsError
predictor = Predictor()
print(predictor.backend, predictor.predict(sys.argv[1]).digit)
try: Predictor(backend='onnxruntime')
except WeightsError as error: print(error)'''
    first, second = python(code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg')).splitlines()
    assert first == 'torch 7' and 'onnxruntime' in second


def test_the_web_app_and_the_shell_need_no_torch_where_onnxruntime_is():
    code = WITHOUT_TORCH + '''from mnist_cnn.web import create_app
from mnist_cnn.cli import main
with open(sys.argv[1], 'rb') as picture:
    answer = create_app().test_client().post('/predict', data=picture.read(), content_type='image/jpeg').get_json()
print(answer['predictions'][0]['digit'], answer['model']['architecture']['name'], flush=True)
main(['predict', sys.argv[1]])'''
    said = python(code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg')).splitlines()
    assert said[0] == '7 MNISTCNN' and ': 7 (' in said[1]


def test_a_predictor_goes_to_other_processes_and_threads():
    import pickle
    from concurrent.futures import ThreadPoolExecutor
    import numpy as np
    from mnist_cnn import Predictor
    predictor, images = Predictor(), np.random.default_rng(0).random((200, 28, 28), np.float32)
    expected = predictor.logits(images)
    assert np.allclose(pickle.loads(pickle.dumps(predictor)).logits(images), expected, atol=1e-5)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(predictor.logits, [images] * 16): assert np.allclose(found, expected, atol=1e-5)
    assert predictor.logits(images[:0]).shape == (0, 10)


def test_reading_a_digit_leaves_nothing_behind_and_tells_nobody(tmp_path):
    quiet = {name: value for name, value in os.environ.items() if name not in ('CI', 'GITHUB_ACTIONS', 'TF_BUILD', 'ORT_DISABLE_TELEMETRY')}
    places = {name: str(tmp_path) for name in ('HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME')}
    code = 'import sys, mnist_cnn; predictor = mnist_cnn.Predictor(); print(predictor.backend, predictor.predict(sys.argv[1]).digit)'
    assert python(code, str(ROOT / 'mnist_cnn' / 'examples' / '7_paper.jpg'), env=quiet | places) == 'onnxruntime 7'
    assert not list(tmp_path.rglob('*'))   # onnxruntime's reports to its makers begin with a file here


def test_the_names_at_the_top_are_there():
    code = 'import mnist_cnn; print(all(getattr(mnist_cnn, name) for name in mnist_cnn.__all__), *mnist_cnn.__all__)'
    true, *names = python(code).split()
    assert true == 'True' and {'MNISTCNN', 'load_model', 'predict', 'Predictor'} <= set(names)


def test_no_module_imports_nbdev_or_fastcore():
    for path in (ROOT / 'mnist_cnn').glob('*.py'):
        if path.name != '_modidx.py': assert not {'nbdev', 'fastcore'} & set(path.read_text().replace('.', ' ').split()), path.name


def test_the_code_is_python_3_10():
    for path in [*(ROOT / 'mnist_cnn').glob('*.py'), *(ROOT / 'tools').glob('*.py'), *(ROOT / 'benchmarks').glob('*.py')]:
        ast.parse(path.read_text(encoding='utf-8'), feature_version=(3, 10))


def test_the_lines_of_the_description_work_word_for_word():
    code = '''import torch
from mnist_cnn.model import MNISTCNN
model = MNISTCNN()
model.load_state_dict(torch.load('models/mnist_cnn_model.pth', map_location='cpu'))
model.eval()
print(sum(p.numel() for p in model.parameters()))'''
    assert python(code, cwd=ROOT) == '421642'


def test_the_shipped_weights_are_what_their_json_says():
    from mnist_cnn.data import load_mnist
    from mnist_cnn.model import load_model
    from mnist_cnn.train import evaluate
    model, data = load_model(ROOT / 'models' / 'mnist_cnn_model.pth'), load_mnist()
    assert model.metadata['accuracy'] >= .995 and model.metadata['epochs'] == 10 and model.metadata['data']['train'] == 60_000
    assert f'{model.metadata["accuracy"]:.2%}' in (ROOT / 'models' / 'README.md').read_text(encoding='utf-8')
    if data.is_sample: assert evaluate(model, data).accuracy > .99   # images that it was trained on
    else: assert abs(evaluate(model, data).accuracy - model.metadata['accuracy']) <= .0003


def test_a_notebook_never_names_a_path_of_a_machine():
    for path in (ROOT / 'nbs').glob('*.ipynb'):
        text = path.read_text(encoding='utf-8')
        assert str(ROOT.parent) + os.sep not in text and str(Path.home()) + os.sep not in text, path.name
        cells = json.loads(text)['cells']
        assert not [c for c in cells if any(o['output_type'] == 'error' for o in c.get('outputs', []))], path.name


@pytest.mark.slow
def test_an_installed_wheel_reads_a_digit_far_from_the_checkout(tmp_path):
    run = lambda *command: subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=tmp_path)
    run('-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', str(tmp_path), str(ROOT))
    wheel, = tmp_path.glob('mnist_cnn-*.whl')
    run('-m', 'pip', 'install', '--quiet', '--no-deps', '--target', str(tmp_path / 'site'), str(wheel))
    code = '''import mnist_cnn, sys
from pathlib import Path
assert mnist_cnn.__file__.startswith(sys.argv[1]), mnist_cnn.__file__
predictor = mnist_cnn.Predictor()
assert str(predictor.weights).startswith(sys.argv[1]) and mnist_cnn.load_mnist(source='sample').is_sample
print(predictor.predict(Path(mnist_cnn.__file__).parent / 'examples' / '7_paper.jpg').digit)'''
    environment = os.environ | dict(PYTHONPATH=str(tmp_path / 'site'))
    assert python(code, str(tmp_path), cwd='/', env=environment) == '7'
