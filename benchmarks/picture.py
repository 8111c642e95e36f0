"""How long a picture takes from its file's bytes to a `Prediction`, on one core, and how much of that is decoding.

    python benchmarks/picture.py [--rounds 40] [--out benchmarks/results/picture.json]

The drawings are a 7 with soft edges on 600x600 pixels, saved as PNG in grey, colour, and colour with transparency; the photos are sheets with
shade and noise, saved as JPEG. All kinds take turns. `kept` is the same in a process that was started with MALLOC_TRIM_THRESHOLD_=67108864 and
MALLOC_MMAP_THRESHOLD_=33554432, by which glibc keeps the memory that it frees: fetching a few megabytes anew for every picture takes time too.
"""
import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import time

os.environ['OMP_NUM_THREADS'] = '1'

import cv2
import numpy as np
from PIL import Image

from mnist_cnn.imaging import load, prepare
from mnist_cnn.inference import Predictor
from report import machine, save


def drawing(side: int) -> np.ndarray:
    'A 7 as a paint program draws it: `(side, side)` uint8, dark on white.'
    points = np.array([(.3, .25), (.7, .25), (.42, .78)]) * side * 16
    return cv2.polylines(np.full((side, side), 255, np.uint8), [points.astype(int)], False, 0, side // 16, cv2.LINE_AA, 4)


def photo(width: int, height: int) -> np.ndarray:
    'The same on a sheet in uneven light, seen by a camera: `(height, width)` uint8.'
    ink = cv2.resize(drawing(600), (width, height), interpolation=cv2.INTER_AREA) / 255
    light = np.linspace(235, 150, width)[None] * np.linspace(1, .85, height)[:, None]
    noise = np.random.default_rng(0).normal(0, 3, (height, width))
    return np.clip(light * (.25 + .75 * ink) + noise, 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str, mode: str = 'L') -> bytes:
    'The bytes of a file.'
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **{'JPEG': dict(quality=90), 'PNG': {}}[kind])
    return buffer.getvalue()


def pictures() -> dict:
    'What is measured: name -> bytes of a file.'
    sheet = drawing(600)
    clear = Image.merge('RGBA', [Image.new('L', (600, 600))] * 3 + [Image.fromarray(255 - sheet)])
    return {'drawing 600x600, grey PNG': encoded(sheet, 'PNG'), 'drawing 600x600, RGB PNG': encoded(sheet, 'PNG', 'RGB'),
            'drawing 600x600, transparent PNG': encoded(np.asarray(clear), 'PNG', 'RGBA'), 'drawing 280x280, grey PNG': encoded(drawing(280), 'PNG'),
            'photo 600x600, JPEG': encoded(photo(600, 600), 'JPEG', 'RGB'), 'photo 4000x3000, JPEG': encoded(photo(4000, 3000), 'JPEG', 'RGB')}


def milliseconds(rounds: int) -> dict:
    'For each picture, the median times to decode it, to prepare it, and to have its `Prediction`.'
    cv2.setNumThreads(1)
    predictor, times = Predictor(), {}
    for _ in range(rounds + 3):
        for name, data in pictures_made.items():
            for step, act in (('decode', load), ('prepare', prepare), ('predict', predictor.predict)):
                start = time.perf_counter()
                found = act(data)
                times.setdefault((name, step), []).append(1000 * (time.perf_counter() - start))
            assert found.digit == 7, (name, found)
    return {f'{name}|{step}': round(statistics.median(rest[3:]), 2) for (name, step), rest in times.items()}


def in_fresh_process(rounds: int, kept: bool) -> dict:
    'The same measurement in a process of its own.'
    settings = dict(MALLOC_TRIM_THRESHOLD_='67108864', MALLOC_MMAP_THRESHOLD_='33554432') if kept else {}
    done = subprocess.run([sys.executable, __file__, '--once', '--rounds', str(rounds)], env=os.environ | settings, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=40)
    parser.add_argument('--out', default='benchmarks/results/picture.json')
    parser.add_argument('--once', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    pictures_made = pictures()
    if args.once:
        print(json.dumps(milliseconds(args.rounds)))
        sys.exit()
    fresh, kept = in_fresh_process(args.rounds, False), in_fresh_process(args.rounds, True)
    table = [dict(picture=name, kilobytes=round(len(data) / 1000), decode_ms=fresh[f'{name}|decode'], prepare_ms=fresh[f'{name}|prepare'],
                  predict_ms=fresh[f'{name}|predict'], predict_kept_ms=kept[f'{name}|predict']) for name, data in pictures_made.items()]
    save(args.out, dict(command='python benchmarks/picture.py', threads=1, **machine(), table=table))
