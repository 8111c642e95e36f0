"""How long a fresh process takes, and how much memory it needs, from the shell to the answer.

    python benchmarks/start.py [--rounds 10] [--out benchmarks/results/start.json]

Each row is a process of its own, started from the shell as a user would; all take turns in every round, and the table has the medians. `over Python` is
what is left when Python itself, started to do nothing, is subtracted. With PyTorch the same picture is read by `backend='torch'`.
"""
import argparse
import os
import shutil
import sys
from pathlib import Path

import numpy as np

from report import machine, process, save

EXAMPLE = str(Path(__file__).resolve().parent.parent / 'mnist_cnn' / 'examples' / '7_paper.jpg')
SHELL = shutil.which('mnist-cnn', path=os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]))
TORCH = 'import sys, mnist_cnn; print(mnist_cnn.Predictor(backend="torch").predict(sys.argv[1]))'
COMMANDS = {
    'python -c pass': [sys.executable, '-c', 'pass'],
    'python -c "import mnist_cnn"': [sys.executable, '-c', 'import mnist_cnn'],
    'mnist-cnn --help': [SHELL, '--help'],
    'mnist-cnn predict 7.jpg': [SHELL, 'predict', EXAMPLE],
    'the same with PyTorch': [sys.executable, '-c', TORCH, EXAMPLE],
}


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--out', default='benchmarks/results/start.json')
    args = parser.parse_args()
    for command in COMMANDS.values(): process(command)          # files into the system's cache
    rounds = [{name: process(command) for name, command in COMMANDS.items()} for _ in range(args.rounds)]
    medians = {name: np.median([one[name] for one in rounds], axis=0) for name in COMMANDS}
    bare = medians['python -c pass'][0]
    save(args.out, dict(command=f'python benchmarks/start.py --rounds {args.rounds}', **machine(), rounds=args.rounds,
                        table=[dict(what=name, seconds=round(taken, 3), over_python=round(taken - bare, 3), megabytes=round(memory))
                               for name, (taken, memory) in medians.items()]))
