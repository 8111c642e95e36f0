"""Seconds an epoch: the usual way (torchvision's DataLoader, an image at a time) against this package, the same network and batch size.

    python benchmarks/train.py [--data DIR] [--rounds 3] [--threads 2] [--out benchmarks/results/train.json]

Each measurement is a process of its own, and the sides alternate, so that a busy machine slows both; the median of the rounds is reported with all of them.
"""
import argparse
import multiprocessing
import statistics
import time
from dataclasses import replace

import torch
import torch.nn.functional as F
from torchvision import transforms
from PIL import Image

from mnist_cnn.data import MEAN, STD, Batches, load_mnist, random_handwriting
from mnist_cnn.model import MNISTCNN
from mnist_cnn.train import RECIPES, keep_memory, make_optimizer, train_epoch
from report import machine, save


class UsualNetwork(torch.nn.Sequential):
    'The same layers in the textbook order: convolution, ReLU, pool.'
    def __init__(self):
        super().__init__(torch.nn.Conv2d(1, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                         torch.nn.Conv2d(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
                         torch.nn.Linear(3136, 128), torch.nn.ReLU(), torch.nn.Dropout(.5), torch.nn.Linear(128, 10))


class UsualDataset(torch.utils.data.Dataset):
    'What `torchvision.datasets.MNIST` does with each image.'
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))])

    def __init__(self, digits): self.images, self.labels = digits.images, digits.labels
    def __len__(self): return len(self.labels)
    def __getitem__(self, i): return self.transform(Image.fromarray(self.images[i].numpy())), int(self.labels[i])


def usual_batches(digits, batch_size: int):
    'The batches of an epoch as in the tutorials.'
    return torch.utils.data.DataLoader(UsualDataset(digits), batch_size, shuffle=True)


def usual_epoch(digits, batch_size: int):
    'One epoch as in the tutorials.'
    model = UsualNetwork()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for images, labels in usual_batches(digits, batch_size):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()


def our_epoch(digits, batch_size: int):
    'One epoch of the plain recipe, which does the same arithmetic.'
    recipe = replace(RECIPES['plain'], batch_size=batch_size)
    model = MNISTCNN().to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, recipe, torch.device('cpu'))
    train_epoch(model, Batches(digits, batch_size, shuffle=True), optimizer, recipe, 0, 1)


def walk(batches):
    'Make all batches and do nothing with them.'
    for images, labels in batches: pass


SIDES = {
    'usual': usual_epoch,
    'ours': our_epoch,
    'usual, batches alone': lambda digits, batch_size: walk(usual_batches(digits, batch_size)),
    'ours, batches alone': lambda digits, batch_size: walk(Batches(digits, batch_size, shuffle=True)),
    'ours, augmented batches alone': lambda digits, batch_size: walk(Batches(digits, batch_size, shuffle=True, augment=random_handwriting)),
}


def seconds(side: str, batch_size: int, threads: int, data: str | None) -> float:
    'How long an epoch takes, not counting the loading of the files.'
    torch.set_num_threads(threads)
    digits = load_mnist(data).train
    if side.startswith('ours'): keep_memory()
    start = time.perf_counter()
    SIDES[side](digits, batch_size)
    return time.perf_counter() - start


def in_fresh_process(*args):
    'A measurement that leaves nothing behind for the next: no settings, no memory.'
    with multiprocessing.get_context('spawn').Pool(1) as pool: return pool.apply(seconds, args)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--out', default='benchmarks/results/train.json')
    args = parser.parse_args()
    images = len(load_mnist(args.data).train)
    rows = {('usual', 64): [], ('ours', 64): [], ('ours', 128): [], **{(side, 64): [] for side in SIDES if 'alone' in side}}
    for _ in range(args.rounds):
        for (side, batch_size), times in rows.items():
            times.append(in_fresh_process(side, batch_size, args.threads, args.data))
    against = {side: statistics.median(rows['usual, batches alone' if 'alone' in side else 'usual', 64]) for side in SIDES}
    table = [dict(pipeline=side, batch_size=batch_size, images=images, seconds=round(statistics.median(times), 2),
                  rounds=[round(t, 2) for t in times], times_faster=round(against[side] / statistics.median(times), 2))
             for (side, batch_size), times in rows.items()]
    save(args.out, dict(command='python benchmarks/train.py', threads=args.threads, **machine(), table=table))
