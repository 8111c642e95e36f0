"""This network beside others, on the same data and the same machine: parameters, processor seconds to train, test accuracy, microseconds an image.

    python benchmarks/compare.py [--data DIR] [--out benchmarks/results/compare.json] [--weights runs/compare] [--again NAME ...]

Needs the extra `understand` (scikit-learn). Rows that are in the result already are kept, so a stopped run goes on where it was; `--again` names rows
to measure anew, `--again all` all of them. `--time` only times predicting once more, all rows within one quiet minute: on the networks' first weights
or the shipped ones, since the arithmetic is the same, and nothing else in the rows changes. The two foreign networks are rebuilt after their sources, with their epochs, optimizer and batches:
https://github.com/pytorch/examples/blob/main/mnist/main.py and https://keras.io/examples/vision/mnist_convnet/ . Both get their batches from
`mnist_cnn.data.Batches`, normalised and shuffled (the first shuffles only on a GPU, the second keeps a tenth of the images to validate on; here both
train on all 60,000). Nothing in this table chose anything.
"""
import argparse
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from mnist_cnn.data import Batches, load_mnist
from mnist_cnn.model import MNISTCNN, load_model, save_model
from mnist_cnn.train import RECIPES, fit
from report import machine, save


def sklearn_model(name: str):
    'A classifier of scikit-learn, as it comes; only k-NN and the forest are told to use all cores.'
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    return {'logistic regression': lambda: LogisticRegression(max_iter=100),
            'k nearest neighbours, k = 3': lambda: KNeighborsClassifier(3, n_jobs=-1),
            'random forest, 100 trees': lambda: RandomForestClassifier(100, n_jobs=-1, random_state=0)}[name]()


def pytorch_example() -> nn.Module:
    'The network of the PyTorch examples: 1,199,882 parameters.'
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(.25), nn.Flatten(),
                         nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(.5), nn.Linear(128, 10))


def keras_example() -> nn.Module:
    "Keras' simple MNIST convnet: 34,826 parameters, first weights after Glorot, as Keras draws them."
    model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Dropout(.5), nn.Linear(1600, 10))
    for name, value in model.named_parameters():
        nn.init.xavier_uniform_(value) if name.endswith('weight') else nn.init.zeros_(value)
    return model


FOREIGN = {  # name -> how it is made, optimizer, images a batch, epochs, what the learning rate is multiplied by after each
    "PyTorch examples' network": (pytorch_example, lambda values: torch.optim.Adadelta(values, lr=1.), 64, 14, .7),
    "Keras' simple convnet": (keras_example, lambda values: torch.optim.Adam(values, lr=1e-3, eps=1e-7), 128, 15, 1.)}


def train_foreign(name: str, mnist) -> tuple[nn.Module, int]:
    'Train one of the two as its source does; gives it and its epochs.'
    make, make_optimizer, batch_size, epochs, gamma = FOREIGN[name]
    torch.manual_seed(0)
    model = make().to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model.parameters())
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma)
    batches = Batches(mnist.train, batch_size, shuffle=True)
    for epoch in range(epochs):
        for images, labels in batches.epoch(epoch):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
        schedule.step()
    return model.eval(), epochs


class Ensemble(nn.Module):
    'The mean of what several networks think, as probabilities.'
    def __init__(self, models):
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, images): return torch.stack([model(images).softmax(1) for model in self.models]).mean(0)


@torch.inference_mode()
def network_row(model: nn.Module, test) -> dict:
    'Accuracy, and time in batches of 250: the best of five goes through the test images.'
    batches, times = list(Batches(test, 250)), []
    for _ in range(5):
        start = time.perf_counter()
        guesses = torch.cat([model(images).argmax(1) for images, _ in batches])
        times.append(time.perf_counter() - start)
    return scored(guesses, test.labels, min(times)) | dict(parameters=sum(value.numel() for value in model.parameters()))


def scored(guesses, labels, seconds: float) -> dict:
    'What both kinds of rows say.'
    wrong = int((guesses != labels).sum())
    return dict(wrong=wrong, accuracy=round(1 - wrong / len(labels), 6), microseconds=round(1e6 * seconds / len(labels), 1))


def sklearn_row(name: str, mnist) -> dict:
    'Fit and time one of scikit-learn.'
    pixels = lambda digits: digits.images.flatten(1).float().numpy() / 255
    model, images, labels = sklearn_model(name), pixels(mnist.test), mnist.test.labels.numpy()
    took = Stopwatch()
    model.fit(pixels(mnist.train), mnist.train.labels.numpy())
    took = took.read()
    times = []
    while not times or sum(times) < 3:  # the slow one once, the quick ones until it is three seconds
        start = time.perf_counter()
        guesses = model.predict(images)
        times.append(time.perf_counter() - start)
    count = model.coef_.size + model.intercept_.size if hasattr(model, 'coef_') else None
    return scored(guesses, labels, min(times)) | took | dict(parameters=count, epochs=None)


class Stopwatch:
    'Seconds of all processors together, which a busy machine changes less than those on the clock.'
    def __init__(self): self.start = time.process_time()
    def read(self): return dict(cpu_seconds=round(time.process_time() - self.start, 1))


def our_row(seed: int, mnist, weights: Path) -> dict:
    'Train this network as it ships.'
    torch.manual_seed(seed)
    model, took = MNISTCNN(), Stopwatch()
    history = fit(model, mnist, 10, RECIPES['accurate'], seed, 'cpu', progress=False)
    took = took.read() | dict(epochs=len(history))
    save_model(model, weights / f'seed_{seed}.pth', **took)
    return network_row(load_model(weights / f'seed_{seed}.pth'), mnist.test) | took


def measure(name: str, mnist, weights: Path, rows: dict) -> dict:
    'One row of the table.'
    if name in FOREIGN:
        took = Stopwatch()
        model, epochs = train_foreign(name, mnist)
        took = took.read() | dict(epochs=epochs)
        return network_row(model, mnist.test) | took
    if name.startswith('mnist_cnn, seed'): return our_row(int(name[-1]), mnist, weights)
    if name != ENSEMBLE: return sklearn_row(name, mnist)
    took = dict(cpu_seconds=round(sum(rows[member]['cpu_seconds'] for member in MEMBERS), 1))
    model = Ensemble([load_model(weights / f'seed_{seed}.pth') for seed in range(3)])
    return network_row(model, mnist.test) | took | dict(epochs=10)


def microseconds(name: str, mnist) -> float:
    'Time one row again.'
    if name in FOREIGN: return network_row(FOREIGN[name][0]().to(memory_format=torch.channels_last).eval(), mnist.test)['microseconds']
    if not name.startswith('mnist_cnn'): return sklearn_row(name, mnist)['microseconds']
    return network_row(load_model() if name != ENSEMBLE else Ensemble([load_model() for _ in MEMBERS]), mnist.test)['microseconds']


MEMBERS = [f'mnist_cnn, seed {seed}' for seed in range(3)]
ENSEMBLE = 'mnist_cnn, these three together'
NAMES = ['logistic regression', 'k nearest neighbours, k = 3', 'random forest, 100 trees', *FOREIGN, *MEMBERS, ENSEMBLE]

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data')
    parser.add_argument('--out', type=Path, default=Path('benchmarks/results/compare.json'))
    parser.add_argument('--weights', type=Path, default=Path('runs/compare'))
    parser.add_argument('--again', nargs='*', default=[], help='rows to measure anew, or all')
    parser.add_argument('--time', action='store_true', help='only time predicting again')
    args = parser.parse_args()
    mnist = load_mnist(args.data)
    result = json.loads(args.out.read_text()) if args.out.exists() else dict(table=[])
    rows = {row['name']: row for row in result['table']}
    if args.time:
        for name in rows: rows[name]['microseconds'] = microseconds(name, mnist)
        save(args.out, result | dict(timed=machine()))
        raise SystemExit
    for name in NAMES:
        if name in rows and name not in args.again and args.again != ['all']: continue
        print('measuring', name, flush=True)
        rows[name] = dict(name=name) | measure(name, mnist, args.weights, rows) | machine()
        save(args.out, dict(command='python benchmarks/compare.py', data=len(mnist.train), tested_on=len(mnist.test), threads=torch.get_num_threads(),
                            table=[{key: rows[each][key] for key in rows[name]} for each in NAMES if each in rows]))
