"""A million images of MNIST's format, read into a table: how fast, and in how much memory.

    python benchmarks/many.py [--count 1000000] [--out benchmarks/results/many.json]

The IDX file (784 MB for a million, MNIST's training images again and again) and the tables go to a temporary folder. Each row is a process of its own, and
`peak_mb` the most memory that it had; a tenth of the images stands beside all of them, since memory that is bounded does not grow. The last row stops
half-way, as Ctrl-C does, and goes on.
"""
import argparse
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mnist_cnn.data import load_mnist
from mnist_cnn.model import default_weights
from report import machine, process, save

INT8 = default_weights().with_suffix('.int8.onnx')


def write(path: Path, images: np.ndarray, count: int):
    'An IDX file of this many images.'
    with open(path, 'wb') as file:
        file.write(b'\0\0\x08\x03' + struct.pack('>3I', count, 28, 28))
        for start in range(0, count, len(images)): file.write(images[:count - start].tobytes())


def command(source: Path, table: Path, weights: Path) -> list:
    'As in the shell.'
    # a process that the shell started in the background ignores Ctrl-C, and so would those that it starts
    code = 'import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from mnist_cnn.cli import main; sys.exit(main())'
    return [sys.executable, '-c', code, 'predict', '--weights', weights, '--out', table, source]


def interrupted(command: list, table: Path, lines: int) -> float:
    'Seconds until the table had so many lines and Ctrl-C came.'
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (table.exists() and table.read_bytes().count(b'\n') >= lines): time.sleep(.1)
    child.send_signal(signal.SIGINT)
    assert child.wait() == 130
    return time.perf_counter() - start


def row(name: str, count: int, taken: float, memory: float) -> dict:
    return dict(what=name, images=f'{count:,}', seconds=round(taken, 1), per_second=round(count / taken), peak_mb=round(memory))


def main(count: int, folder: Path) -> list:
    'All rows.'
    images = load_mnist().train.images.numpy()
    few, many = folder / 'few.idx', folder / 'many.idx'
    write(few, images, count // 10)
    write(many, images, count)
    rows = []
    for name, weights in {'float32': default_weights(), 'int8': INT8}.items():
        for source, number in {few: count // 10, many: count}.items():
            rows.append(row(name, number, *process(command(source, folder / f'{name}_{source.stem}.csv', weights))))
    before = interrupted(command(many, folder / 'again.csv', INT8), folder / 'again.csv', count // 2)
    after, memory = process(command(many, folder / 'again.csv', INT8))
    assert (folder / 'again.csv').read_bytes() == (folder / 'int8_many.csv').read_bytes(), 'stopping changed the table'
    return rows + [row('int8, stopped and gone on with', count, before + after, memory)]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=1_000_000)
    parser.add_argument('--out', default='benchmarks/results/many.json')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save(args.out, dict(command=f'python benchmarks/many.py --count {args.count}', **machine(), table=main(args.count, Path(folder))))
