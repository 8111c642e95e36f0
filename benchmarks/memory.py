"""Peak resident memory of a training on the CPU, as the operating system counts it for the whole process `mnist-cnn train`.

    python benchmarks/memory.py [--data DIR] [--out benchmarks/results/memory.json]

One epoch of each recipe; what a later epoch needs is in memory already.
"""
import argparse
import os
import subprocess
import sys
import tempfile

from mnist_cnn.train import RECIPES
from report import machine, save


def peak(recipe: str, data: str | None) -> float:
    'Megabytes (10^6 bytes) at the highest.'
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, '-m', 'mnist_cnn.train', '--epochs', '1', '--recipe', recipe, '--device', 'cpu', '--out', out]
        process = subprocess.Popen(command + ['--data', data] * bool(data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, f'{command} failed'
        return usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024) / 1e6


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--out', default='benchmarks/results/memory.json')
    args = parser.parse_args()
    table = [dict(training=recipe, peak_MB=round(peak(recipe, args.data))) for recipe in RECIPES]
    save(args.out, dict(command='python benchmarks/memory.py', **machine(), table=table))
