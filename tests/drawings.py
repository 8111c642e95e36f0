'A thousand drawings as people make them on a canvas, seeded: to compare what reads them in Python and in the browser.'
import numpy as np

from mnist_cnn.widget import PEN, as_strokes, rasterize

GLYPHS = {0: [[(.5, .1), (.2, .3), (.2, .7), (.5, .9), (.8, .7), (.8, .3), (.5, .1)]], 1: [[(.35, .3), (.55, .1), (.55, .9)]],
          2: [[(.2, .3), (.5, .1), (.8, .3), (.5, .6), (.2, .9), (.8, .9)]], 3: [[(.2, .2), (.6, .1), (.75, .3), (.45, .48), (.8, .7), (.5, .9), (.2, .8)]],
          4: [[(.45, .1), (.2, .6), (.85, .6)], [(.65, .35), (.62, .95)]], 5: [[(.75, .1), (.35, .1), (.3, .45), (.65, .45), (.75, .7), (.5, .9), (.25, .8)]],
          6: [[(.65, .1), (.35, .4), (.25, .75), (.5, .9), (.75, .75), (.5, .55), (.28, .7)]], 7: [[(.2, .12), (.8, .12), (.45, .9)]],
          8: [[(.5, .5), (.25, .3), (.5, .1), (.75, .3), (.5, .5), (.2, .75), (.5, .92), (.8, .75), (.5, .5)]],
          9: [[(.72, .35), (.5, .1), (.28, .3), (.5, .5), (.72, .3), (.68, .9)]]}


def glyph(rng, digit, size, corner):
    'The strokes of a digit, shaken, slanted, in a box of a size at a place.'
    slant, squeeze = rng.normal(0, .15), rng.uniform(.6, 1.1)
    def point(x, y):
        x, y = x + rng.normal(0, .02), y + rng.normal(0, .02)
        return corner[0] + size * squeeze * (x + slant * (.5 - y)), corner[1] + size * y
    return [[point(x, y) for x, y in line] for line in GLYPHS[digit]]


def drawing(number):
    'The strokes of one drawing: digits of all sizes and pens, several of them, dots, ruling, scribbles, the rim, nothing.'
    rng = np.random.default_rng(number)
    pen, kind = rng.uniform(.03, .15) if rng.random() < .6 else PEN, rng.choice(
        ['one', 'tiny', 'rim', 'several', 'dots', 'ruled', 'ruled and crossed', 'scribble', 'line', 'blank'],
        p=[.4, .06, .08, .12, .06, .08, .08, .06, .04, .02])
    size = rng.uniform(.08, .25) if kind == 'tiny' else rng.uniform(.3, .9)
    corner = rng.uniform(-.2, .7, 2) if kind == 'rim' else rng.uniform(0, 1 - size, 2) if size < 1 else (0, 0)
    lines = []
    if kind in ('one', 'tiny', 'rim', 'dots', 'ruled', 'ruled and crossed'): lines += glyph(rng, rng.integers(10), size, corner)
    if kind == 'several':
        for i in range(count := rng.integers(2, 5)):
            lines += glyph(rng, rng.integers(10), rng.uniform(.7, 1) / count, (i / count + .02, rng.uniform(.1, .6)))
    if kind == 'dots': lines += [[tuple(rng.random(2))] for _ in range(rng.integers(1, 5))]
    if kind == 'scribble': lines += [[tuple(point) for point in .5 + np.cumsum(rng.normal(0, .09, (rng.integers(8, 40), 2)), 0)]]
    if kind in ('ruled', 'line', 'ruled and crossed'): lines += [rule(rng, across=True) for _ in range(rng.integers(1, 4))]
    if kind == 'ruled and crossed': lines += [rule(rng, across=False) for _ in range(rng.integers(1, 3))]
    return as_strokes(lines, pen) if not kind.startswith('ruled') else as_strokes(lines, min(pen, .06))


def rule(rng, across):
    'A line from side to side, or from top to bottom, drawn with or without a ruler.'
    start, stop = rng.uniform(-.02, .1), rng.uniform(.9, 1.02)
    level, rise, wave = rng.uniform(.03, .97), rng.normal(0, .03), rng.choice([0, .004])
    points = [(t, level + rise * (t - .5) + rng.normal(0, wave)) for t in np.linspace(start, stop, 12)]
    return points if across else [(y, x) for x, y in points]


def frames(count=1000):
    '(count, 112, 112) uint8, white on black.'
    return np.stack([rasterize(drawing(number)) for number in range(count)])
