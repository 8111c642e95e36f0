"""How much it takes to throw the network: test images spoiled in eight ways, and pictures that are not MNIST, with the shipped weights and plain ones.

    python benchmarks/robustness.py [--data DIR] [--root DIR] [--every 1] [--out benchmarks/results/robustness.json]
                                    [--plain runs/recipe/seeds_plain_0.pth]

`--plain` names weights of the recipe `plain`, ten epochs on all of MNIST; `python benchmarks/recipe.py --only seeds` makes them, and where the file is
missing it is trained here (some minutes). The changes are those of `mnist_cnn.understand`. Both networks get all test images, or every n-th, as they
are; in the third curve every fifth of these, spoiled the same way, goes through `Predictor.predict_many`, which finds, scales and centres the digit
first. DIR holds a folder a set of PNG and JPEG files, see handwriting.py. Each curve is kept in runs/robustness.json until all are there, so a stopped
run goes on where it was.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from handwriting import real_sets
from mnist_cnn.data import load_mnist
from mnist_cnn.inference import Predictor
from mnist_cnn.model import load_model
from mnist_cnn.train import RECIPES
from mnist_cnn.understand import CHANGES, robustness, spoiled
from recipe import train_one
from report import machine


def through_predict(predictor: Predictor, digits, change: str) -> list:
    'Accuracy at each amount where the spoiled images are read as pictures.'
    found = []
    for amount in CHANGES[change].amounts:
        answers = predictor.predict_many(spoiled(digits, change, amount)[:, 0].numpy())
        found.append(float(np.mean([answer.digit == label for answer, label in zip(answers, digits.labels.tolist())])))
    return found


def real_rows(weights: dict, root: Path) -> list:
    'Per cent right in each set of pictures, a column for each of the weights.'
    columns = {name: {row['set']: row for row in real_sets(Predictor(path), root) if row['what'] == 'right'} for name, path in weights.items()}
    return [dict(set=each, images=row['images']) | {name: column[each]['percent'] for name, column in columns.items()}
            for each, row in columns['shipped'].items()]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--root', type=Path, default=Path('../shared/data/digits'))
    parser.add_argument('--plain', type=Path, default=Path('runs/recipe/seeds_plain_0.pth'))
    parser.add_argument('--every', type=int, default=1, help='take every n-th test image (default: 1, all)')
    parser.add_argument('--out', type=Path, default=Path('benchmarks/results/robustness.json'))
    args = parser.parse_args()
    if not args.plain.exists():
        plain = dict(kind='seeds', name='plain', seed=0, recipe=json.loads(json.dumps(vars(RECIPES['plain']))))
        train_one(plain, args.data, 10, str(args.plain.parent), torch.get_num_threads())
    test, weights = load_mnist(args.data).test, dict(plain=args.plain, shipped=None)
    test = test[torch.arange(0, len(test), args.every)]
    models = {name: load_model(path) for name, path in weights.items()}
    fifth, predictor = test[torch.arange(0, len(test), 5)], Predictor()
    result = dict(command='python benchmarks/robustness.py' + f' --every {args.every}' * (args.every > 1), weights=models['shipped'].metadata['sha256'], plain=models['plain'].metadata['sha256'],
                  images=len(test), through_predict=len(fifth))
    part = Path('runs/robustness.json')
    before = json.loads(part.read_text()) if part.exists() else {}
    curves = before['curves'] if {key: before.get(key) for key in result} == result else []
    for change, settings in CHANGES.items():
        if change in [curve['change'] for curve in curves]: continue
        curve = {name: [round(value, 4) for value in robustness(model, test, change)] for name, model in models.items()}
        curve['shipped, through predict'] = through_predict(predictor, fifth, change)
        curves.append(dict(change=change, unit=settings.unit, amounts=settings.amounts) | curve)
        print(change, *(f'{name} {np.mean(values):.3f}' for name, values in curve.items()), flush=True)
        part.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(result | dict(curves=curves)))
    real = real_rows(weights, args.root) if args.root.is_dir() else []
    args.out.write_text(json.dumps(result | machine() | dict(curves=curves, real=real), indent=1) + '\n')
    part.unlink()
    print('saved:', args.out)
