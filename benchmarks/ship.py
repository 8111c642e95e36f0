"""Put trained weights into models/ with their calibration.

    python benchmarks/ship.py [--data DIR] [--weights runs/recipe/seeds_accurate_0.pth] [--held-out runs/recipe/choice_accurate_0.pth]

The temperature and the limits of doubt are fitted on the last 10,000 training images, so on a network that has not seen them (the same recipe on
the first 50,000), and go with the network that was trained on all 60,000.
"""
import argparse
from pathlib import Path

from mnist_cnn.data import load_mnist
from mnist_cnn.model import default_weights, load_model, read_metadata, save_model
from mnist_cnn.train import calibrate

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--weights', type=Path, default=Path('runs/recipe/seeds_accurate_0.pth'))
    parser.add_argument('--held-out', type=Path, default=Path('runs/recipe/choice_accurate_0.pth'))
    args = parser.parse_args()
    held_out = load_mnist(args.data).train[-10_000:]
    calibration = calibrate(load_model(args.held_out), held_out)
    known = {key: value for key, value in read_metadata(args.weights).items() if key not in ('file', 'sha256', 'architecture', 'parameters', 'replaces')}
    default_weights().unlink(missing_ok=True)
    print(save_model(load_model(args.weights), default_weights(), **known | dict(calibration=calibration)))
