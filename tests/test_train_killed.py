'Training in a process of its own that is killed, stopped, or has nowhere to write.'
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mnist_cnn.model import load_model

SAMPLE = Path(__file__).resolve().parent.parent / 'mnist_cnn' / 'sample'


def training(out, *more):
    'Start `mnist-cnn train` on the sample.'
    command = [sys.executable, '-c', 'import sys; from mnist_cnn.cli import main; sys.exit(main())', 'train', '--epochs', '3', '--data', str(SAMPLE), '--device', 'cpu', '--out', str(out), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, process, seconds=120):
    'Wait until a file is there.'
    for _ in range(seconds * 100):
        if path.exists(): return
        assert process.poll() is None, process.communicate()
        time.sleep(.01)
    raise AssertionError(f'{path} did not appear')


@pytest.mark.slow
def test_ctrl_c_stops_at_once_and_resume_ends_with_the_weights_of_an_unbroken_run(tmp_path):
    process = training(tmp_path / 'stopped')
    wait_for(tmp_path / 'stopped' / 'last.ckpt', process)
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and 'go on with --resume' in err and 'Traceback' not in err
    assert time.perf_counter() - start < 10
    for name, *more in [('stopped', '--resume'), ('unbroken',)]:
        out, err = training(tmp_path / name, *more).communicate(timeout=300)
        assert 'saved: ' in out, err
    stopped, unbroken = (load_model(tmp_path / name / 'mnist_cnn_model.pth').state_dict() for name in ('stopped', 'unbroken'))
    assert all((stopped[name] == unbroken[name]).all() for name in unbroken)
