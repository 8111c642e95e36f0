"""How well the shipped weights read pictures that are not MNIST, and whether they know when there is no digit to read.

    python benchmarks/handwriting.py [--root DIR] [--data DIR] [--weights FILE] [--count 300] [--seed 0] [--out benchmarks/results/handwriting.json]

DIR holds a folder a set of PNG and JPEG files; the first character of a file's name is its label. The pictures without a digit are generated,
seeded. The photographs are crops of the two that scikit-learn ships (extra `benchmarks`).
"""
import argparse
import statistics
from pathlib import Path

import cv2
import numpy as np

from mnist_cnn.data import load_mnist
from mnist_cnn.inference import Predictor
from nondigits import KINDS
from report import machine, save


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    'Expected calibration error: how far confidence is from accuracy, bin by bin, weighted by how many images are in each.'
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return sum(abs((confidence - right)[bin_of == i].sum()) for i in range(bins)) / len(confidence)


def row(name: str, what: str, share: float, images: int) -> dict:
    'A line of the table.'
    return dict(set=name, what=what, percent=round(100 * float(share), 2), images=images)


def certainty(name: str, answers: list, right: np.ndarray) -> list:
    'Calibration error, and how many of the wrong answers are given with over 0.9.'
    confidence = np.array([answer.confidence for answer in answers])
    wrong = ~right
    return [row(name, 'ECE', calibration_error(confidence, right), len(right)),
            row(name + ', wrong answers', 'over 0.9', (confidence[wrong] > .9).mean() if wrong.any() else 0, int(wrong.sum()))]


def real_sets(predictor: Predictor, root: Path) -> list:
    'Accuracy and flagged share of each set, and over all.'
    rows, everything, hits = [], [], []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in ('.png', '.jpg', '.jpeg'))
        answers = predictor.predict_many(files)
        right = np.array([answer.digit == int(path.name[0]) for path, answer in zip(files, answers)])
        rows.append(row(folder.name, 'right', right.mean(), len(files)))
        rows.append(row(folder.name, 'flagged', np.mean([answer.status != 'ok' for answer in answers]), len(files)))
        everything += answers
        hits.append(right)
    mean = statistics.mean(line['percent'] for line in rows if line['what'] == 'right') / 100
    flagged = np.mean([answer.status != 'ok' for answer in everything])
    total = len(everything)
    return rows + [row('mean over sets', 'right', mean, total), row('all pictures', 'flagged', flagged, total)] + certainty('all pictures', everything, np.concatenate(hits))


def no_digits(predictor: Predictor, digits: np.ndarray, count: int, seed: int) -> list:
    'How many of the generated pictures without a single digit get a status other than ok.'
    rows = []
    for name, make in KINDS.items():
        rng = np.random.default_rng(seed)
        answers = predictor.predict_many(make(rng, digits) for _ in range(count))
        rows.append(row(name, 'caught', np.mean([answer.status != 'ok' for answer in answers]), count))
    return rows


def mnist_rows(predictor: Predictor, test) -> list:
    "MNIST's test images, given as pictures."
    answers = predictor.predict_many(test.images.numpy())
    right = np.array([answer.digit for answer in answers], dtype=float) == test.labels.numpy()
    name = 'MNIST test images'
    return [row(name, 'right', right.mean(), len(right)), row(name, 'flagged', np.mean([answer.status != 'ok' for answer in answers]), len(right))] + certainty(name, answers, right)


def covered(image: np.ndarray, share: float) -> np.ndarray:
    'The lower part of an image gone.'
    return np.where(np.arange(len(image))[:, None] < len(image) * (1 - share), image, 0)


DAMAGE = {  # name -> what is left of an image (112, 112) float 0..1 where so much, 0 to 1, of the damage is done
    'blurred': lambda image, share, noise: cv2.GaussianBlur(image, (0, 0), .01 + 14 * share),
    'faded': lambda image, share, noise: image * (1 - share),
    'noised': lambda image, share, noise: np.clip(image * (1 - .7 * share) + .6 * share * noise, 0, 1),
    'covered': lambda image, share, noise: covered(image, share),
}


def damage_rows(predictor: Predictor, test, count: int, seed: int) -> list:
    'How often the confidence in an image rises by over 0.05 from one step of damage to the next, and how much the mean ever rises.'
    rng, rows = np.random.default_rng(seed), []
    chosen = rng.choice(len(test), count, replace=False)
    images = [cv2.resize(image, (112, 112), interpolation=cv2.INTER_LINEAR) / 255 for image in test.images[chosen].numpy()]
    noise = rng.normal(0, 1, (112, 112))
    for name, spoil in DAMAGE.items():
        steps = [[spoil(image, share, noise).astype(np.float32) for image in images] for share in np.linspace(0, 1, 9)]
        confidence = np.array([[answer.confidence for answer in predictor.predict_many(step)] for step in steps])  # (9, count)
        rows.append(row(f'{name} step by step', 'rises', (np.diff(confidence, axis=0) > .05).mean(), count))
        rows.append(row(f'{name} step by step, mean', 'rises by', max(0, np.diff(confidence.mean(1)).max()), count))
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--root', type=Path, default=Path('../shared/data/digits'))
    parser.add_argument('--data')
    parser.add_argument('--weights')
    parser.add_argument('--count', type=int, default=300)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', default='benchmarks/results/handwriting.json')
    args = parser.parse_args()
    predictor, mnist = Predictor(args.weights), load_mnist(args.data)
    table = real_sets(predictor, args.root) if args.root.is_dir() else []
    table += no_digits(predictor, mnist.test.images.numpy(), args.count, args.seed) + mnist_rows(predictor, mnist.test)
    table += damage_rows(predictor, mnist.test, args.count, args.seed)
    save(args.out, dict(command='python benchmarks/handwriting.py', weights=predictor.model.metadata['sha256'], count=args.count, seed=args.seed, **machine(), table=table))
