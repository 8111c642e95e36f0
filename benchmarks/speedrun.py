"""Seconds to 99 %: the usual way (see train.py) until the mean over its seeds is at 99 %, against the speedrun recipe.

    python benchmarks/speedrun.py [--data DIR] [--seeds 10] [--usual-seeds 5] [--device auto] [--threads 2] [--out benchmarks/results/speedrun.json]
    python benchmarks/speedrun.py --choose

Each run is a process of its own, and the sides alternate, so that a busy machine slows both. Only training is timed, not the loading of the files and not
the tests after each epoch. Accuracy is on the test images. On a GPU only the speedrun is run, after one that is not timed. Every run is a line in
benchmarks/results/speedrun.jsonl, with the device and the load. `--choose` is how the recipe came about: from one plain epoch to the speedrun, a part at
a time, trained on the first 50,000 training images and scored on the last 10,000; it appends to the same log.
"""
import argparse
import dataclasses
import json
import multiprocessing
import os
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from mnist_cnn.data import MNIST, load_mnist
from mnist_cnn.model import MNISTCNN
from mnist_cnn.train import RECIPES, Recipe, describe_device, evaluate, in_training, pick_device, prepare, train_epoch
from report import machine, save
from train import UsualNetwork, usual_batches

SPEEDRUN = RECIPES['speedrun']
CHOICE = [('plain, one epoch', {**dataclasses.asdict(RECIPES['plain']), 'epochs': 1}),
          ('+ OneCycle to 0.008, batches of 128', dict(lr=SPEEDRUN.lr, schedule='onecycle', batch_size=SPEEDRUN.batch_size)),
          ('no dropout', dict(dropout=0)), ('+ label smoothing 0.1', dict(label_smoothing=SPEEDRUN.label_smoothing)),
          ('+ betas 0.7 and 0.9', dict(betas=SPEEDRUN.betas)), ('without the rim: speedrun', dict(rim=False))]


def usual(mnist: MNIST, seed: int, epochs: int) -> list:
    'Train as in the tutorials: (seconds so far, accuracy) after each epoch.'
    torch.manual_seed(seed)
    model, spent, curve = UsualNetwork(), 0., []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        start = time.perf_counter()
        for images, labels in usual_batches(mnist.train, 64):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
        spent += time.perf_counter() - start
        model.eval()
        with torch.inference_mode():
            right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in usual_batches(mnist.test, 250))
        model.train()
        curve.append((spent, right / len(mnist.test)))
    return curve


def ours(mnist: MNIST, seed: int, recipe: Recipe, device: torch.device) -> list:
    'Train with a recipe: (seconds, accuracy) at the end.'
    torch.manual_seed(seed)
    model, start = MNISTCNN(), time.perf_counter()
    optimizer, batches = prepare(model, mnist.train, recipe, seed, device)
    with in_training(model, recipe):
        for epoch in range(recipe.epochs): train_epoch(model, batches, optimizer, recipe, epoch, recipe.epochs)   # its sums wait for the device
    spent = time.perf_counter() - start
    return [(spent, evaluate(model, mnist).accuracy)]


def measure(kind: str, side: str, seed: int, recipe: dict | None, args: argparse.Namespace) -> dict:
    'A line of the log.'
    torch.set_num_threads(args.threads)
    mnist, device = load_mnist(args.data), torch.device('cpu')
    if kind == 'choice': mnist = MNIST(mnist.train[:50_000], mnist.train[50_000:], mnist.source)
    if side == 'usual': curve = usual(mnist, seed, args.usual_epochs)
    else:
        device, recipe = pick_device(args.device), Recipe(**recipe)
        if device.type != 'cpu': ours(mnist, seed + 1000, recipe, device)   # warms up
        curve = ours(mnist, seed, recipe, device)
    return dict(kind=kind, name=side, seed=seed, seconds=[round(spent, 3) for spent, _ in curve], accuracy=[accuracy for _, accuracy in curve],
                device=describe_device(device), threads=args.threads, tested_on=len(mnist.test), **machine())


def run(kind: str, side: str, seed: int, recipe: Recipe | None, args: argparse.Namespace) -> dict:
    'Measure in a fresh process, print and log.'
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        row = pool.apply(measure, (kind, side, seed, recipe and dataclasses.asdict(recipe), args))
    with open(args.log, 'a') as log: log.write(json.dumps(row) + '\n')
    print(f'{side:36} seed {seed}: ' + ', '.join(f'{a:.2%} in {s:.2f} s' for s, a in zip(row['seconds'], row['accuracy'])), flush=True)
    return row


def choose(args: argparse.Namespace):
    'From one plain epoch to the speedrun, on held-out training images.'
    recipe = RECIPES['plain']
    steps = [(name, recipe := dataclasses.replace(recipe, **changes)) for name, changes in CHOICE]
    assert dataclasses.replace(steps[-1][1], weight_decay=SPEEDRUN.weight_decay) == SPEEDRUN
    for seed in range(args.seeds):
        for name, recipe in steps: run('choice', name, seed, recipe, args)


def summary(runs: list, args: argparse.Namespace) -> list:
    'The table: each epoch of the usual way, and the speedrun, mean over the seeds.'
    rows = []
    for side in dict.fromkeys(run['name'] for run in runs):
        mine = [run for run in runs if run['name'] == side]
        for epoch in range(len(mine[0]['seconds'])):
            accuracy = [run['accuracy'][epoch] for run in mine]
            rows.append(dict(pipeline=side, epochs=epoch + 1, seeds=len(mine), seconds=round(statistics.mean(run['seconds'][epoch] for run in mine), 2),
                             accuracy=round(statistics.mean(accuracy), 5), lowest=min(accuracy), reached=statistics.mean(accuracy) >= .99))
    return rows


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--seeds', type=int, default=10)
    parser.add_argument('--usual-seeds', type=int, default=5)
    parser.add_argument('--usual-epochs', type=int, default=4)
    parser.add_argument('--device', default='auto')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--choose', action='store_true')
    parser.add_argument('--log', type=Path, default=Path('benchmarks/results/speedrun.jsonl'))
    parser.add_argument('--out', default='benchmarks/results/speedrun.json')
    args = parser.parse_args()
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    args.log.parent.mkdir(parents=True, exist_ok=True)
    if args.choose: raise SystemExit(choose(args))
    on_cpu, runs = pick_device(args.device).type == 'cpu', []
    for seed in range(args.seeds):
        if on_cpu and seed < args.usual_seeds: runs.append(run('seeds', 'usual', seed, None, args))
        runs.append(run('seeds', 'speedrun', seed, SPEEDRUN, args))
    table = summary(runs, args)
    result = dict(command='python benchmarks/speedrun.py', device=runs[-1]['device'], threads=args.threads, **machine(),
                  gpu='see the table' if not on_cpu else 'not run: no GPU was at hand', table=table)
    fast, usual_rows = table[-1], [row for row in table if row['pipeline'] == 'usual']
    if fast['reached'] and usual_rows:
        needed = next((row for row in usual_rows if row['reached']), usual_rows[-1])
        result['times_faster'] = round(needed['seconds'] / fast['seconds'], 2)
        result['usual_reached'] = needed['reached']   # if not, it is at least so many times faster
    save(args.out, result)
    if 'times_faster' in result: print('times faster to 99 %:', result['times_faster'], '' if result['usual_reached'] else 'or more: the usual way is not there yet')
