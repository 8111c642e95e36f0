'Images without a digit to read, as a user might hand them in: seeded, drawn with OpenCV and Pillow, unlike the training garbage.'
from __future__ import annotations
from functools import lru_cache
from pathlib import Path
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont


def paper(rng,            # a `numpy.random.Generator`
          size=None,      # `(height, width)` in pixels; drawn from 200 to 600 when left out
          shaded=None,    # light from one side; by chance when left out
          ) -> np.ndarray:  # `(H, W, 3)` float, 0..255
    'A sheet: tinted, perhaps lit from one side, with the noise of a camera.'
    h, w = size or rng.integers(200, 601, 2)
    page = np.full((h, w, 3), rng.uniform(190, 250)) + rng.uniform(-12, 5, 3)
    if rng.random() < .5 if shaded is None else shaded:
        y, x = np.mgrid[-1:1:h * 1j, -1:1:w * 1j]
        angle = rng.uniform(0, 2 * np.pi)
        page *= (1 - rng.uniform(.05, .25) * (1 + x * np.cos(angle) + y * np.sin(angle)))[..., None]
    return page + rng.normal(0, rng.uniform(0, 4), (h, w, 1))


def finish(page, rng):
    'Eight bits; by chance grey, or light on dark.'
    page = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < .2: page = 255 - page
    if rng.random() < .3: return Image.fromarray(page).convert('L')
    return Image.fromarray(page)


def put_ink(page, cover, rng):
    'Ink of one colour where `cover` `(H, W)` says so, 0..1.'
    colour = rng.uniform(0, 90, 3) if rng.random() < .5 else np.full(3, rng.uniform(0, 90))
    return page * (1 - cover[..., None]) + colour * cover[..., None]


def blank(rng):
    'An empty page: plain, shaded, or ruled with lines or squares.'
    kind = rng.integers(3)
    page = paper(rng, shaded=kind == 1)
    if kind == 2:
        h, w = page.shape[:2]
        gap, thick, tone = rng.integers(25, 80), rng.integers(1, 3), rng.uniform(20, 90)
        for y in range(int(rng.integers(5, gap)), h, gap): page[y:y + thick] -= tone
        if rng.random() < .4:
            for x in range(int(rng.integers(5, gap)), w, gap): page[:, x:x + thick] -= tone
    return finish(page, rng)


def several(rng, digits):
    'Two to five digits in a row, from MNIST.'
    k, tall = rng.integers(2, 6), rng.integers(50, 110)
    page = paper(rng, (int(rng.integers(tall + 60, 300)), int(k * tall + rng.integers(80, 200))))
    cover, x = np.zeros(page.shape[:2]), int(rng.integers(20, 60))
    top = rng.integers(15, len(page) - tall - 15)
    for digit in digits[rng.integers(0, len(digits), k)]:
        ink = digit[:, digit.any(0)][digit.any(1)].astype(np.float32) / 255
        ink = cv2.resize(ink, (max(6, int(ink.shape[1] * tall / ink.shape[0])), tall), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        if ink.shape[1] > tall: ink = cv2.resize(ink, (tall, tall))
        at = cover[top:top + tall, x:x + ink.shape[1]]
        if at.shape != ink.shape: break
        at[:] = np.maximum(at, ink)
        x += ink.shape[1] + int(tall * rng.uniform(.1, .4))
    return finish(put_ink(page, cover, rng), rng)


def scribble_or_shape(rng):
    'A looping scribble, a zigzag, hatching, or a drawn triangle, rectangle, star, heart, arrow, cross or wave.'
    page = paper(rng)
    h, w = page.shape[:2]
    cover = np.zeros((h, w), np.uint8)
    size = min(h, w) * rng.uniform(.25, .42)
    thick = max(2, int(size * rng.uniform(.05, .2)))
    kind = list(OUTLINES)[rng.integers(len(OUTLINES))]
    turn = rng.uniform(-.4, .4)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for line in OUTLINES[kind](rng):
        points = line @ rotate.T * size * [1, rng.uniform(.7, 1.2)] + [w / 2, h / 2]
        points = np.int32(points + rng.normal(0, size * .01, points.shape))
        cv2.polylines(cover, [points], False, 255, thick, cv2.LINE_AA)
        if kind in ('triangle', 'rectangle', 'star', 'heart') and rng.random() < .3: cv2.fillPoly(cover, [points], 255, cv2.LINE_AA)
    return finish(put_ink(page, cover / 255, rng), rng)


def ring(corners, radii=(1,), start=-np.pi / 2):
    'A closed outline with `corners` corners at the given distances in turn.'
    k = np.arange(corners + 1)
    return np.stack([np.cos(start + 2 * np.pi * k / corners), np.sin(start + 2 * np.pi * k / corners)], 1) * np.resize(radii, corners + 1)[:, None]


def loops(rng):
    'A pen going round and round while it wanders.'
    t = np.linspace(0, rng.uniform(3, 8) * 2 * np.pi, 300)
    radius = .5 + .4 * np.sin(t * rng.uniform(.1, .9) + rng.uniform(0, 6))
    return [np.stack([np.cos(t) * radius + .5 * np.sin(t * rng.uniform(.05, .3)), np.sin(t * rng.uniform(.9, 1.1)) * radius], 1)]


def tangle(rng):
    'A smooth curve through random places.'
    places = rng.uniform(-1, 1, (rng.integers(6, 14), 2))
    fine = np.stack([np.interp(np.linspace(0, 1, 300), np.linspace(0, 1, len(places)), places[:, i]) for i in (0, 1)], 1)
    return [cv2.GaussianBlur(fine.astype(np.float32), (1, 31), 6).astype(float)]


def zigzag(rng):
    'Up and down, to the right.'
    k = rng.integers(5, 14)
    return [np.stack([np.linspace(-1, 1, k), np.resize([-.8, .8], k) * rng.uniform(.4, 1, k)], 1)]


def heart(rng):
    'The usual heart curve.'
    t = np.linspace(0, 2 * np.pi, 60)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([np.sin(t) ** 3, -y / 16], 1)]


def segments(*ends): return [np.float64(e).reshape(-1, 2) for e in ends]


OUTLINES = {
    'loops': loops, 'tangle': tangle, 'zigzag': zigzag, 'heart': heart,
    'hatching': lambda rng: [np.array([[x - .3, .9], [x + .3, -.9]]) for x in np.linspace(-.7, .7, rng.integers(4, 8))],
    'triangle': lambda rng: [ring(3)],
    'rectangle': lambda rng: [ring(4, start=np.pi / 4) * [1, rng.uniform(.5, 1)]],
    'star': lambda rng: [ring(10, (1, rng.uniform(.35, .5)))],
    'pentagram': lambda rng: [ring(5)[[0, 2, 4, 1, 3, 0]]],
    'hexagon': lambda rng: [ring(6)],
    'arrow': lambda rng: segments([-1, 0, 1, 0], [.5, -.4, 1, 0, .5, .4]),
    'cross': lambda rng: segments([-.8, -.8, .8, .8], [.8, -.8, -.8, .8]),
    'plus': lambda rng: segments([-.9, 0, .9, 0], [0, -.9, 0, .9]),
    'wave': lambda rng: [np.stack([np.linspace(-1, 1, 80), .35 * np.sin(np.linspace(0, rng.uniform(12, 25), 80))], 1)],
    'smiley': lambda rng: [ring(40), *segments([-.4, -.4, -.4, -.2], [.4, -.4, .4, -.2]), ring(40)[12:29] * -.6 * [1, -1]],
    'house': lambda rng: segments([-.7, 0, -.7, .9, .7, .9, .7, 0, -.9, 0, 0, -.9, .9, 0, .7, 0]),
    'spiral': lambda rng: [ring(20)[np.arange(80) % 20] * np.linspace(.05, 1, 80)[:, None]],
    'tick': lambda rng: segments([-.8, .1, -.2, .7, .9, -.8]),
}


@lru_cache
def fonts():
    'Fonts that Matplotlib ships and, where there are, the system\'s.'
    import matplotlib
    own = sorted(Path(matplotlib.get_data_path(), 'fonts/ttf').glob('DejaVuSans*.ttf')) + sorted(Path(matplotlib.get_data_path(), 'fonts/ttf').glob('DejaVuSerif*.ttf'))
    return [str(f) for f in own if 'Display' not in f.name]


def letter(rng):
    'One capital or small letter, from a font or in one of OpenCV\'s pen-plotter alphabets, somewhat turned.'
    character = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'[rng.integers(52)]
    page = paper(rng)
    h, w = page.shape[:2]
    cover, size = Image.new('L', (w, h)), int(min(h, w) * rng.uniform(.4, .7))
    if rng.random() < .5:
        font = ImageFont.truetype(fonts()[rng.integers(len(fonts()))], size)
        ImageDraw.Draw(cover).text((w / 2, h / 2), character, 255, font, anchor='mm')
    else:
        face = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX,
                               cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
        canvas = np.zeros((h, w), np.uint8)
        thick = max(2, int(size * rng.uniform(.03, .14)))
        cv2.putText(canvas, character, (int(w / 2 - size * .4), int(h / 2 + size * .4)), face, size / 26, 255, thick, cv2.LINE_AA)
        cover = Image.fromarray(canvas)
    cover = np.asarray(cover.rotate(rng.uniform(-12, 12), Image.BICUBIC)) / 255
    return finish(put_ink(page, cover, rng), rng), character


@lru_cache
def photographs():
    'The photographs that scikit-learn and Matplotlib ship.'
    import matplotlib
    from sklearn.datasets import load_sample_images
    hopper = Image.open(Path(matplotlib.get_data_path(), 'sample_data/grace_hopper.jpg')).convert('RGB')
    return [*load_sample_images().images, np.asarray(hopper)]


def photograph(rng):
    'A square cut from a photograph.'
    picture = photographs()[rng.integers(len(photographs()))]
    side = int(rng.integers(120, min(picture.shape[:2])))
    y, x = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
    crop = Image.fromarray(picture[y:y + side, x:x + side])
    return crop.convert('L') if rng.random() < .3 else crop


KINDS = {  # name -> what makes one picture from a random generator and MNIST's test images `(N, 28, 28)`
    'blank pages': lambda rng, digits: blank(rng),
    'rows of digits': several,
    'scribbles and shapes': lambda rng, digits: scribble_or_shape(rng),
    'letters': lambda rng, digits: letter(rng)[0],
    'photographs': lambda rng, digits: photograph(rng),
}
