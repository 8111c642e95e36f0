"""What looking several times, and asking several networks, buys: three seeds, trained on the first 50,000 training images, scored on the last 10,000.

    python benchmarks/kaggle.py [--data DIR] [--weights runs/kaggle] [--epochs 10]

Networks that are in the folder of weights already are not trained again. The test images are not asked.
"""
import argparse
from pathlib import Path

import torch

from mnist_cnn.data import MNIST, load_mnist
from mnist_cnn.kaggle import VIEWS, averaged
from mnist_cnn.model import MNISTCNN, load_model, save_model
from mnist_cnn.train import fit
from report import machine, save


def trained(data: MNIST, seed: int, epochs: int, path: Path) -> MNISTCNN:
    'A network trained with the accurate recipe, from the file if it is there.'
    if not path.exists():
        torch.manual_seed(seed)
        model = MNISTCNN()
        history = fit(model, data, epochs, seed=seed, progress=False)
        save_model(model, path, seed=seed, accuracy=history[-1]['test_accuracy'])
    return load_model(path)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--weights', type=Path, default=Path('runs/kaggle'))
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--out', default='benchmarks/results/kaggle.json')
    args = parser.parse_args()
    mnist = load_mnist(args.data)
    data = MNIST(mnist.train[:-10_000], mnist.train[-10_000:], mnist.source)
    models = [trained(data, seed, args.epochs, args.weights / f'held_out_{seed}.pth') for seed in range(3)]
    table = []
    for views, name in ((VIEWS[:1], 'one'), (VIEWS, f'{len(VIEWS)}')):
        for networks, who in [*(([model], f'seed {seed}') for seed, model in enumerate(models)), (models, 'all three')]:
            wrong = int((averaged(networks, data.test.images, views).argmax(1) != data.test.labels).sum())
            table.append(dict(networks=who, views=name, wrong=wrong, accuracy=1 - wrong / len(data.test)))
    save(args.out, dict(table=table, trained_on=len(data.train), scored_on=len(data.test), epochs=args.epochs,
                        views=VIEWS, **machine()))
