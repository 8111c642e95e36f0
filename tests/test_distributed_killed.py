'Training in two processes, one of which is killed.'
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mnist_cnn.distributed import free_port
from mnist_cnn.model import load_model

psutil = pytest.importorskip('psutil')       # comes with accelerate
pytest.importorskip('accelerate')
SAMPLE = Path(__file__).resolve().parent.parent / 'mnist_cnn' / 'sample'


def training(out, *more):
    'Start two processes that train on the sample.'
    launcher = ['-m', 'accelerate.commands.launch', '--multi_gpu', '--num_processes', '2', '--main_process_port', free_port()]
    command = [sys.executable, *launcher, '-m', 'mnist_cnn.train', '--epochs', '3', '--data', str(SAMPLE), '--device', 'cpu', '--out', str(out), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize('rank', ['0', '1'])
def test_a_killed_process_ends_all_with_a_sentence_and_two_resume_as_if_nothing_had_happened(tmp_path, rank):
    process = training(tmp_path / 'killed')
    for _ in range(12_000):
        if (tmp_path / 'killed' / 'last.ckpt').exists(): break
        assert process.poll() is None, process.communicate()
        time.sleep(.01)
    children = psutil.Process(process.pid).children(recursive=True)
    next(child for child in children if child.environ().get('RANK') == rank).kill()
    start = time.perf_counter()
    out, err = process.communicate(timeout=120)
    assert process.returncode and time.perf_counter() - start < 60
    assert 'mnist-cnn: another process of this training has died or was stopped' in err and 'saved: ' not in out
    assert not (tmp_path / 'killed' / 'mnist_cnn_model.pth').exists()
    for name, *more in [('killed', '--resume'), ('unbroken',)]:
        out, err = training(tmp_path / name, *more).communicate(timeout=300)
        assert out.count('saved: ') == 1, err
        assert {file.name for file in (tmp_path / name).iterdir()} == {'mnist_cnn_model.json', 'mnist_cnn_model.pth'}
    killed, unbroken = (load_model(tmp_path / name / 'mnist_cnn_model.pth').state_dict() for name in ('killed', 'unbroken'))
    assert all(torch.equal(killed[name], unbroken[name]) for name in unbroken)
