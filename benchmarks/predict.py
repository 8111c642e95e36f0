"""How fast one image and ten thousand are read, by PyTorch as one usually writes it and by `Predictor`.

    python benchmarks/predict.py [--rounds 20] [--threads N] [--out benchmarks/results/predict.json]

The usual way is `model(images)` in evaluation mode on normalised float32, one image or the whole batch. What is compared takes turns in every round, so that
a busy machine slows all of them; the table has the medians over the rounds. Images are MNIST's test images (the sample's where MNIST is not there).
"""
import argparse
import time
from importlib.metadata import version

import numpy as np
import torch

from mnist_cnn.data import load_mnist, normalise
from mnist_cnn.inference import Predictor
from mnist_cnn.model import default_weights, load_model
from report import machine, save

INT8 = default_weights().with_suffix('.int8.onnx')


def seconds(step, times: int) -> float:
    'The median time of a step.'
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def interleaved(steps: dict, rounds: int, times: int) -> dict:
    'Medians over rounds in which all steps take their turns.'
    for step in steps.values(): step()
    taken = [{name: seconds(step, times) for name, step in steps.items()} for _ in range(rounds)]
    return {name: float(np.median([one[name] for one in taken])) for name in steps}


def ratios(what: str, usual: str, taken: dict, count: int = 1) -> list:
    'Rows of the table: microseconds an image, images a second, and how many times as fast as the usual way.'
    return [dict(what=what, how=name, us_per_image=round(1e6 * value / count, 1), per_second=round(count / value), ratio=round(taken[usual] / value, 2))
            for name, value in taken.items()]


def main(rounds: int) -> list:
    'All rows.'
    model, plain, int8, eager = load_model(), Predictor(), Predictor(INT8), Predictor(backend='torch')
    assert plain.backend == int8.backend == 'onnxruntime'
    test = load_mnist().test.images
    picture, pixels = test[0].numpy(), test[:1].numpy() / np.float32(255)
    one = normalise(test[:1, None] / 255)

    def usual():   # from pixels to a digit and its probability
        return model(normalise(torch.from_numpy(picture)[None, None] / 255)).softmax(1).max(1)

    rows = ratios('network, one image', 'torch, eager', interleaved({
        'torch, eager': lambda: model(one), 'torch, Predictor': lambda: eager.logits(pixels),
        'onnxruntime float32': lambda: plain.logits(pixels), 'onnxruntime int8': lambda: int8.logits(pixels)}, rounds, 50))
    rows += ratios('28x28 array to answer', 'torch, eager, softmax', interleaved({
        'torch, eager, softmax': usual, 'predict(native=True)': lambda: plain.predict(picture, native=True),
        'predict(native=True), int8': lambda: int8.predict(picture, native=True),
        'predict(), with search and placing': lambda: plain.predict(picture),
        'predict(), torch': lambda: eager.predict(picture)}, rounds, 30))
    batch, images = normalise(test[:, None] / 255), test.numpy() / np.float32(255)
    rows += ratios(f'network, {len(test):,} images', 'torch, whole batch', interleaved({
        'torch, whole batch': lambda: model(batch), 'torch, Predictor': lambda: eager.logits(images),
        'onnxruntime float32': lambda: plain.logits(images), 'onnxruntime int8': lambda: int8.logits(images)}, max(3, rounds // 4), 1), len(test))
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads(), help="torch's (default: as torch chooses)")
    parser.add_argument('--out', default='benchmarks/results/predict.json')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    save(args.out, dict(command=f'python benchmarks/predict.py --rounds {args.rounds}', **machine(), onnxruntime=version('onnxruntime'),
                        torch_threads=args.threads, table=main(args.rounds)))
