"""Choose one of the trained seeds, calibrate it, and put it into models/.

    python benchmarks/ship.py [--data DIR] [--root DIR] [--runs runs/recipe]

The seed is chosen by the pictures in DIR that are not MNIST (see `handwriting.py`), the mean over their sets. The temperature and the limit of doubt
are fitted on the last 10,000 training images, so on a network that has not seen them (the same recipe on the first 50,000), and go with the network
that was trained on all 60,000.
"""
import argparse
from pathlib import Path

from handwriting import real_sets
from mnist_cnn.data import load_mnist
from mnist_cnn.export import export
from mnist_cnn.inference import Predictor
from mnist_cnn.model import default_weights, load_model, read_metadata, save_model
from mnist_cnn.train import calibrate


def mean_over_sets(weights: Path, root: Path) -> float:
    'Per cent of the development pictures read right, the mean over their sets.'
    return next(row['percent'] for row in real_sets(Predictor(weights), root) if row['set'] == 'mean over sets')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--root', type=Path, default=Path('../shared/data/digits'))
    parser.add_argument('--runs', type=Path, default=Path('runs/recipe'))
    args = parser.parse_args()
    scores = {path: mean_over_sets(path, args.root) for path in sorted(args.runs.glob('seeds_accurate_*.pth'))}
    for path, score in scores.items(): print(f'{path}: {score:.2f} %')
    best = max(scores, key=scores.get)
    calibration = calibrate(load_model(args.runs / 'choice_accurate_0.pth'), load_mnist(args.data).train[-10_000:])
    known = {key: value for key, value in read_metadata(best).items() if key not in ('file', 'sha256', 'architecture', 'parameters', 'replaces')}
    default_weights().unlink(missing_ok=True)
    print(save_model(load_model(best), default_weights(), **known | dict(calibration=calibration))['calibration'])
    export(default_weights().with_suffix('.onnx'))
    export(default_weights().with_suffix('.int8.onnx'), int8=True, data=args.data)
