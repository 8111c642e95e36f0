"""What each part of the recipe buys, and how accurate the recipes are over several seeds. Runs that are in the log already are not repeated.

    python benchmarks/recipe.py [--data DIR] [--only choice|seeds] [--workers 2] [--log benchmarks/results/recipe.jsonl] [--weights runs/recipe]

`choice`: from the plain recipe to the accurate one, a part at a time, trained on the first 50,000 training images and scored on the last 10,000.
`seeds`:  both recipes on all 60,000 training images, scored on the test images, which chose nothing.
"""
import argparse
import dataclasses
import json
import multiprocessing
import os
import time
from pathlib import Path

import torch

from mnist_cnn.data import MNIST, load_mnist
from mnist_cnn.model import MNISTCNN, save_model
from mnist_cnn.train import RECIPES, describe_device, evaluate, facts, fit
from report import machine

PLAIN, ACCURATE = RECIPES['plain'], RECIPES['accurate']
STEPS = [('plain', {}), ('+ OneCycle to 0.004, batches of 128', dict(lr=ACCURATE.lr, schedule='onecycle', batch_size=128)),
         ('+ affine augmentation', dict(augment='affine')), ('+ label smoothing 0.1', dict(label_smoothing=ACCURATE.label_smoothing)),
         ('+ AdamW, dropout 0.2', dict(weight_decay=ACCURATE.weight_decay, dropout=ACCURATE.dropout)),
         ('+ stroke, blur and ink', dict(augment='handwriting')), ('+ distractors: accurate', dict(distractors=ACCURATE.distractors))]


def runs(only: str | None):
    'All runs: a dict each, without results.'
    recipe = PLAIN
    steps = []
    for name, changes in STEPS:
        recipe = dataclasses.replace(recipe, **changes)
        steps.append(dict(kind='choice', name=name, seed=0, recipe=dataclasses.asdict(recipe)))
    assert recipe == ACCURATE
    seeds = [dict(kind='seeds', name=name, seed=seed, recipe=dataclasses.asdict(RECIPES[name])) for name in ('accurate', 'plain') for seed in range(3)]
    found = seeds[:3] + steps[::-1] + seeds[3:]
    return [run for run in found if only in (None, run['kind'])]


def train_one(run: dict, data: str | None, epochs: int, weights: str, threads: int) -> dict:
    'Do one run; gives it with its results.'
    torch.set_num_threads(threads)
    mnist = load_mnist(data)
    if run['kind'] == 'choice': mnist = MNIST(mnist.train[:-10_000], mnist.train[-10_000:], mnist.source)
    torch.manual_seed(run['seed'])
    recipe = type(PLAIN)(**{**run['recipe'], 'betas': tuple(run['recipe']['betas'])})
    model, start = MNISTCNN(), time.perf_counter()
    history = fit(model, mnist, epochs, recipe, run['seed'], progress=False)
    seconds, test = time.perf_counter() - start, evaluate(model, mnist)
    name = f'{run["kind"]}_{run["name"].split()[-1]}_{run["seed"]}.pth'
    where = describe_device(next(model.parameters()).device)
    save_model(model, Path(weights) / name, **facts(mnist, recipe, history, test, seed=run['seed'], device=where))
    return run | dict(epochs=epochs, train=len(mnist.train), tested_on=len(mnist.test), accuracy=test.accuracy, wrong=len(test.wrong), loss=round(test.loss, 5),
                      curve=[row['test_accuracy'] for row in history.rows], seconds=round(seconds, 1), threads=threads, file=name, **machine())


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--only', choices=['choice', 'seeds'])
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--workers', type=int, default=2, help='runs at the same time')
    parser.add_argument('--log', type=Path, default=Path('benchmarks/results/recipe.jsonl'))
    parser.add_argument('--weights', default='runs/recipe', help='folder for the weights of all runs')
    args = parser.parse_args()
    whole = lambda recipe: dataclasses.asdict(type(PLAIN)(**recipe))   # what an older log does not mention has its default
    key = lambda run: (run['kind'], run['name'], run['seed'], json.dumps(whole(run['recipe']), sort_keys=True))
    done = {key(json.loads(line)) for line in args.log.read_text().splitlines()} if args.log.exists() else set()
    left = [run for run in runs(args.only) if key(json.loads(json.dumps(run))) not in done]
    args.log.parent.mkdir(parents=True, exist_ok=True)
    threads = max(1, os.cpu_count() // args.workers)
    with multiprocessing.get_context('spawn').Pool(args.workers, maxtasksperchild=1) as pool:
        for task in [pool.apply_async(train_one, (run, args.data, args.epochs, args.weights, threads)) for run in left]:
            result = task.get()
            with open(args.log, 'a') as log: log.write(json.dumps(result) + '\n')
            print(f'{result["kind"]:7} {result["name"]:40} seed {result["seed"]}: {result["accuracy"]:.2%} in {result["seconds"]:.0f} s', flush=True)
