'A table that Ctrl-C or a kill stopped is gone on with, and comes out as if nothing had happened.'
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mnist_cnn.cli import main
from mnist_cnn.data import load_mnist

SHELL = [sys.executable, '-c', 'import sys; from mnist_cnn.cli import main; sys.exit(main())']


@pytest.fixture(scope='module')
def source(tmp_path_factory) -> Path:
    'An IDX file of 60,000 images.'
    path = tmp_path_factory.mktemp('source') / 'images.idx'
    images = np.resize(load_mnist().test.images.numpy()[:1000], (60_000, 28, 28))
    path.write_bytes(b'\0\0\x08\x03' + struct.pack('>3I', *images.shape) + images.tobytes())
    return path


@pytest.mark.parametrize('how, status', [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
@pytest.mark.parametrize('suffix', ['csv', 'jsonl'])
def test_stopped_and_gone_on_with(source, how, status, suffix, tmp_path, capsys):
    table = tmp_path / f'table.{suffix}'
    child = subprocess.Popen([*SHELL, 'predict', '--out', table, source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while child.poll() is None and not (table.exists() and table.stat().st_size > 50_000): time.sleep(.01)
    child.send_signal(how)
    _, err = child.communicate(timeout=120)
    assert child.returncode in (status, 0) and 'Traceback' not in err    # 0: it was done before the signal came
    if child.returncode == 130: assert 'the same command goes on from there' in err
    before = table.read_bytes()
    assert main(['predict', '--out', str(table), str(source)]) == 0
    rows = table.read_text().splitlines()[suffix == 'csv':]
    assert len(rows) == 60_000 and table.read_bytes().startswith(before[:before.rfind(b'\n') + 1])
    names = [row.split(',')[0] if suffix == 'csv' else row.split('"')[3] for row in rows]
    assert names == [str(number) for number in range(60_000)]


def test_a_second_time_there_is_nothing_left_to_do(tmp_path, capsys):
    examples = Path(__file__).resolve().parent.parent / 'mnist_cnn' / 'examples'
    for _ in range(2): assert main(['predict', '--out', str(tmp_path / 'table.csv'), str(examples)]) == 0
    assert '0 pictures in' in capsys.readouterr().out.splitlines()[-1]


def test_a_table_is_about_one_source(tmp_path, capsys):
    assert main(['predict', '--out', str(tmp_path / 'table.csv'), 'a', 'b']) == 1
    assert 'one source' in capsys.readouterr().err


def test_names_of_all_kinds(tmp_path):
    'Commas, quotes, line ends and bytes that are no UTF-8, in a file system that allows them.'
    import os
    from mnist_cnn.many import predict_many
    picture = (Path(__file__).resolve().parent.parent / 'mnist_cnn' / 'examples' / '8_28x28.png').read_bytes()
    folder = tmp_path / 'odd'
    folder.mkdir()
    for name in [b'a,b.png', b'a"b.png', b'a\nb.png', b'a\xffb.png']:
        try: Path(os.fsdecode(folder / os.fsdecode(name))).write_bytes(picture)
        except OSError: pytest.skip('this file system does not allow such names')
    table = tmp_path / 'table.csv'
    whole = predict_many(folder, table, progress=False)
    content = table.read_bytes()
    table.write_bytes(content[:content.rfind(b'\n', 0, -1) + 1])      # the last row is gone
    again = predict_many(folder, table, progress=False)
    assert (whole.done, again.before, again.done) == (4, 3, 4) and table.read_bytes() == content
