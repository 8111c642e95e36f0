"""From any picture of a handwritten digit to the 28x28 image that MNIST would have made of it."""
from __future__ import annotations
import io
from dataclasses import dataclass, field
from pathlib import Path
import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 25_000_000  # refused from the header: a phone photo has 12 to 24 million
WORK_SIZE = 512          # pixels along the longer side while looking for the digit
STRIPS = 16              # a ruled line must be seen in nearly all of so many strips across the page
LEAST_LINE = .12         # of the ink's contrast: fainter lines are left alone
SMALL = 48               # an image smaller than this (pixels) has no room for ruling, noise or clutter


# ---------------------------------------------------------------- 1. read

class ImageError(ValueError):
    'The picture cannot be used; the message is one sentence that says why.'


class MissingImage(ImageError, FileNotFoundError):
    'There is no file of that name.'


def composite(image):
    'Lay a transparent picture on the paper that its ink stands out from.'
    rgba = np.asarray(image.convert('RGBA'), np.float32)
    alpha = rgba[..., 3:] / 255                                   # (H, W, 1), 1 is opaque
    if alpha.min() == 1: return rgba[..., :3].astype(np.uint8)
    ink = (rgba[..., :3] * alpha).sum() / max(3 * alpha.sum(), 1)  # mean grey of what is drawn
    paper = 0 if ink > 140 and alpha.mean() < .7 else 255
    return (rgba[..., :3] * alpha + paper * (1 - alpha) + .5).astype(np.uint8)


def lessen(image):
    'A very large picture by a whole factor smaller, so that what follows is quick and needs little memory.'
    factor = max(image.size) // (2 * WORK_SIZE)
    if factor < 2: return image
    if image.mode in ('P', 'PA', '1'): image = image.convert('RGBA' if 'transparency' in image.info else 'RGB')
    return image.reduce(factor)


def to_rgb(image):
    'Any Pillow mode to (H, W, 3) uint8, upright.'
    check_size(*image.size, 'the picture')
    if image.mode[0] not in 'IF': image = lessen(image)
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in 'IF':                                     # 16-bit or float grey: scale, `convert` would clip
        return array_to_rgb(np.asarray(image), 'the picture', deep=True)
    if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or 'transparency' in image.info: return composite(image)
    return np.asarray(image.convert('RGB'))


def check_size(
    width,  # pixels
    height, # pixels
    name,   # what the message calls the picture
):
    'Refuse a picture that is empty or larger than a phone photo.'
    if width * height == 0: raise ImageError(f'{name} has no pixels.')
    if width * height > MAX_PIXELS:
        raise ImageError(f'{name} has {width} x {height} pixels; at most {MAX_PIXELS // 10**6} million are read.')


def decode(
    stream,  # an open binary file
    name,    # what the messages call it
):
    'PNG or JPEG content to (H, W, 3) uint8, a large one at reduced size, and by how much it was reduced.'
    try:
        image = Image.open(stream, formats=('PNG', 'JPEG'))
        check_size(*image.size, name)
        longer = max(image.size)
        target = tuple(max(1, side * 2 * WORK_SIZE // longer) for side in image.size)
        if longer > 2 * WORK_SIZE: image.draft(None, target)       # JPEG only: decodes a half, a quarter or an eighth
        rgb = to_rgb(image)
        return rgb, longer / max(rgb.shape[:2])
    except ImageError: raise
    except UnidentifiedImageError: raise ImageError(f'{name} is not a PNG or JPEG image.') from None
    except Image.DecompressionBombError: raise ImageError(f'{name} has too many pixels; at most {MAX_PIXELS // 10**6} million are read.') from None
    except Exception as error: raise ImageError(f'{name} is damaged or incomplete ({type(error).__name__}).') from None


def array_to_rgb(
    array,       # (H, W), (H, W, 1|3|4), (1, H, W) or (1, 1, H, W); bool, whole numbers 0..255 or floats 0..1 or 0..255
    name='the array', # what the messages call it
    deep=False,  # 16-bit grey allowed
):
    'Numbers to (H, W, 3) uint8.'
    if array.dtype.kind not in 'buif': raise ImageError(f'{name} holds {array.dtype}, not numbers that are pixels.')
    while array.ndim > 2 and len(array) == 1 and array.shape[-1] not in (3, 4) or array.ndim > 3 and len(array) == 1: array = array[0]
    if array.ndim == 3 and array.shape[-1] == 1: array = array[..., 0]
    if array.ndim not in (2, 3) or array.ndim == 3 and array.shape[-1] not in (3, 4):
        raise ImageError(f'{name} has shape {array.shape}; one image is (H, W), (H, W, 3) or (1, H, W).')
    check_size(array.shape[1], array.shape[0], name)
    if array.dtype.kind == 'f' and not np.isfinite(array).all(): raise ImageError(f'{name} holds NaN or infinite numbers.')
    low, high = array.min(), array.max()
    if low < 0 or high > (65535 if deep else 255): raise ImageError(f'{name} ranges over {low:g}..{high:g}, not 0..1 or 0..255.')
    if array.dtype == bool or array.dtype.kind == 'f' and high <= 1: array = array * 255.
    elif high > 255: array = array / 257.
    pixels = array if array.dtype == np.uint8 else (array + .5).astype(np.uint8)
    if pixels.ndim == 3: return composite(Image.fromarray(pixels)) if pixels.shape[-1] == 4 else pixels
    return np.repeat(pixels[..., None], 3, 2)


def load(
    source, # path, bytes, PIL image, NumPy array or tensor
):
    'Whatever holds one picture to (H, W, 3) uint8 and the number of source pixels to one of its pixels.'
    if isinstance(source, (str, Path)): return read_file(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        if not len(source): raise ImageError('the upload is empty (0 bytes).')
        return decode(io.BytesIO(source), 'the upload')
    if isinstance(source, Image.Image):
        rgb = to_rgb(source)
        return rgb, max(source.size) / max(rgb.shape[:2])
    if hasattr(source, 'detach'): source = source.detach().cpu().numpy()  # a torch tensor, without importing torch
    if isinstance(source, np.ndarray): return array_to_rgb(source), 1.
    raise ImageError(f'a {type(source).__name__} is not a picture: give a path, bytes, a PIL image, an array or a tensor.')


def read_image(
    source, # path, bytes, PIL image, NumPy array or tensor
):
    'Whatever holds one picture to (H, W, 3) uint8 RGB, or an `ImageError` that says what is wrong.'
    return load(source)[0]


def read_file(
    path, # a PNG or JPEG file, whatever its name says
):
    'A file to (H, W, 3) uint8, and by how much it was reduced.'
    try:
        with open(path, 'rb') as stream:
            if not stream.read(1): raise ImageError(f'{path} is empty (0 bytes).')
            stream.seek(0)
            return decode(stream, str(path))
    except FileNotFoundError: raise MissingImage(f'there is no file {path}.') from None
    except IsADirectoryError: raise ImageError(f'{path} is a folder, not an image.') from None
    except ImageError: raise
    except (OSError, ValueError) as error: raise ImageError(f'{path} cannot be opened ({error}).') from None


# ---------------------------------------------------------------- 2. shrink, flatten the light

def shrink(
    rgb, # (H, W, 3) uint8
    size=WORK_SIZE, # pixels along the longer side; a smaller picture is left alone
):
    'The picture at working size, by averaging areas.'
    height, width = rgb.shape[:2]
    scale = size / max(height, width)
    if scale >= 1: return rgb
    return cv2.resize(rgb, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)


def border(
    image, # (H, W) or (H, W, 3)
    width=1, # pixels
):
    'The frame of pixels around the edge, as a list of pixels.'
    rows, columns = [np.r_[:min(width, n), max(n - width, 0):n] for n in image.shape[:2]]
    channels = image.shape[2:]
    return np.concatenate([image[rows].reshape(-1, *channels), image[:, columns].reshape(-1, *channels)])


def is_flat(
    rgb, # (H, W, 3) uint8
):
    'Whether the paper is one exact colour, as on a canvas: then it is known, not estimated.'
    frame = border(rgb)
    return min(rgb.shape[:2]) < SMALL or (frame == np.median(frame, 0)).all(-1).mean() > .5


def powers(count):
    '(count, 3): 1, x and x*x for x from -1 to 1.'
    x = np.linspace(-1, 1, count, dtype=np.float32)
    return np.stack([x**0, x, x * x], 1)


def fit_paper(
    rgb, # (H, W, 3) uint8
    grid=32, # the fit looks at a picture of grid x grid pixels
):
    'The colour of the paper under the ink: (H, W, 3) float32, a quadratic in x and y for each channel.'
    height, width = rgb.shape[:2]
    if is_flat(rgb):
        ring = border(rgb, 1 + min(height, width) // 16 if min(height, width) < SMALL else 1)
        return np.broadcast_to(np.median(ring, 0).astype(np.float32), rgb.shape)
    terms = [(i, j) for i in range(3) for j in range(3 - i)]       # y^i x^j up to degree 2: six of them
    basis = powers(grid)
    design = np.stack([np.outer(basis[:, i], basis[:, j]).ravel() for i, j in terms], 1)  # (grid*grid, 6)
    colours = cv2.resize(rgb, (grid, grid), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float32)
    frame = np.pad(np.zeros((grid - 4, grid - 4)), 2, constant_values=1).ravel()
    weight = frame.copy()                                         # believe the border first, then all that looks like it
    for step in range(12):
        fit = np.linalg.lstsq(design * weight[:, None], colours * weight[:, None], rcond=None)[0]
        miss = np.abs(colours - design @ fit).max(1)              # in grey levels
        spread = np.median(miss[frame > 0]) + 1
        weight = (frame if step < 4 else 1) / (1 + (miss / (2 * spread))**2)  # ink and clutter count for little
    bend = np.zeros((3, 3, 3), np.float32)
    for (i, j), colour in zip(terms, fit): bend[i, j] = colour
    rows, columns = powers(height), powers(width)
    return np.stack([rows @ bend[..., c] @ columns.T for c in range(3)], -1)


def ink_colour(
    difference, # (H, W, 3) float32, picture minus paper
):
    'How the ink differs from the paper, (3,), scaled so that `difference @ colour` is in grey levels.'
    if max(difference.shape[:2]) > 128: difference = cv2.resize(difference, (128, 128), interpolation=cv2.INTER_AREA)
    flat = difference.reshape(-1, 3)
    distance = np.abs(flat).max(1)
    strong = flat[distance >= max(np.quantile(distance, .998) * .5, 1)]
    if not len(strong): return np.full(3, -1 / 3, np.float32)
    darker = strong.sum(1) < 0
    strong = strong[darker] if strong[darker].sum() + strong[~darker].sum() < 0 else strong[~darker]
    colour = strong.sum(0)
    return (colour / np.abs(colour).sum()).astype(np.float32)


def flatten_light(
    rgb, # (H, W, 3) uint8
):
    'Ink in grey levels above the paper, (H, W) float32: shade, tint and polarity are gone; noise is left around 0.'
    difference = rgb - fit_paper(rgb)
    signed = cv2.transform(difference, ink_colour(difference)[None])
    return signed if is_flat(rgb) else signed - shadows(signed)


def shadows(
    signed, # (H, W) float32, grey levels
    grid=64, # shadows are soft: looked for in a picture of grid x grid pixels
):
    'What is dark and wider than a quarter of the page, (H, W) float32: no stroke is.'
    coarse = cv2.resize(np.maximum(signed, 0), (grid, grid), interpolation=cv2.INTER_AREA)
    wide = np.ones((grid // 4, grid // 4), np.uint8)
    coarse = cv2.morphologyEx(coarse, cv2.MORPH_OPEN, wide, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(cv2.blur(coarse, (5, 5)), signed.shape[::-1], interpolation=cv2.INTER_LINEAR)


def noise_level(
    ink, # (H, W) float32, grey levels, signed
):
    'The standard deviation of bare paper, from the median: most of a page is paper.'
    return 1.48 * float(np.median(np.abs(ink[::2, ::2])))


def peak_level(
    ink, # (H, W) float32, grey levels
):
    'How dark the ink gets: the level that a few strokes reach, however large the page.'
    if ink.size > 100_000: ink = ink[::2, ::2]                      # a quarter of the pixels says as much
    count = max(1, ink.size // 3000)
    return float(np.partition(ink, -count, axis=None)[-count])


# ---------------------------------------------------------------- 3. remove long straight lines

def find_lines(
    ink, # (H, W) float32, 0..1
):
    'Lines that cross the page from left to right: a list of (y at the left, y at the right, level, thickness).'
    height, width = ink.shape
    strips = cv2.resize(ink, (STRIPS, height), interpolation=cv2.INTER_AREA)   # (H, 16): mean ink along 1/16 of the page
    most = max(1, int(height * .1))                                        # tilt up to 10 %
    best, tilt = np.zeros(height, np.float32), np.zeros(height, int)
    near = cv2.dilate(strips, np.ones((most + 3, 1), np.uint8))               # the most that any tilt can find
    rows = np.flatnonzero(np.partition(near, 2, axis=1)[:, 2] > LEAST_LINE)
    if not len(rows): return []
    for rise in np.unique(np.linspace(-most, most, 41).astype(int)):
        shift = np.round(np.linspace(-.5, .5, STRIPS) * rise).astype(int)
        along = strips[np.clip(rows[:, None] + shift, 0, height - 1), np.arange(STRIPS)]  # (H, 16)
        level = np.partition(along, 2, axis=1)[:, 2]                       # all strips but two have at least this
        better = rows[level > best[rows] + (.02 if rise else 0)]
        best[better], tilt[better] = level[level > best[rows] + (.02 if rise else 0)], rise
    return trace_peaks(best, tilt)


def trace_peaks(
    level, # (H,) how much line there is through each row
    tilt,  # (H,) its rise across the page, pixels
    least=LEAST_LINE, # fainter lines are left alone
):
    'The peaks of `level` that are thin, as lines.'
    lines, height = [], len(level)
    runs = np.flatnonzero(np.diff(np.r_[0, level > least, 0]))
    for start, stop in zip(runs[::2], runs[1::2]):
        peak = start + int(level[start:stop].argmax())
        thick = int((level[start:stop] > level[peak] * .4).sum())
        if thick > 3 + .04 * height: continue                              # a bar or an edge of something, not a line
        lines.append((peak - tilt[peak] / 2, peak + tilt[peak] / 2, float(level[peak]), thick))
    return lines


def erase_lines(
    ink,   # (H, W) float32, 0..1
    lines, # from `find_lines`
):
    'Take lines that run from left to right away, and bridge the strokes that they cut.'
    ruled, (height, width) = np.zeros_like(ink), ink.shape
    for left, right, level, thick in lines:
        rows = np.clip(np.linspace(left, right, width).round().astype(int), 1, height - 2)
        along = np.max([ink[rows + step, np.arange(width)] for step in (-1, 0, 1)], 0)
        level = float(np.quantile(along, .7))                              # strokes cross less than that of it
        cv2.line(ruled, (0, round(left)), (width - 1, round(right)), level, thick + 4)
    on_line = (ruled > 0) & (ink < 1.4 * ruled + .1)                       # what is darker than its line is a stroke
    without = np.where(on_line, 0, ink).astype(np.float32)
    bridge = np.ones((max(thick for *_, thick in lines) + 6, 3), np.uint8)  # from above the line to below it
    return np.where(on_line, np.minimum(cv2.morphologyEx(without, cv2.MORPH_CLOSE, bridge), ink), without)


def remove_lines(
    ink, # (H, W) float32, 0..1
):
    'Take ruling and box lines away, across and down.'
    if min(ink.shape) < SMALL: return ink
    across, down = find_lines(ink), find_lines(ink.T)
    if across: ink = erase_lines(ink, across)
    if down: ink = erase_lines(np.ascontiguousarray(ink.T), down).T
    return ink


# ---------------------------------------------------------------- 4. which ink is the digit

@dataclass
class Parts:
    'The connected pieces of ink on a page, the largest first.'
    labels: np.ndarray   # (H, W) int32: which piece a pixel belongs to, 0 is paper
    ids: np.ndarray      # (N,) their numbers in `labels`
    boxes: np.ndarray    # (N, 4) x, y, width, height, pixels
    area: np.ndarray     # (N,) pixels
    stroke: np.ndarray   # (N,) mean width of the stroke, pixels
    edge: np.ndarray     # (N,) how many of the page's four sides it touches


def find_parts(
    mask,     # (H, W) bool: where there is ink
    most=60,  # keep so many of the largest
):
    'Connected components, without specks.'
    height, width = mask.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    depth = np.bincount(labels[mask], depth[mask], minlength=count)  # summed distance to the paper
    area, boxes = stats[:, 4], stats[:, :4]
    extent = boxes[:, 2:].max(1)
    least = max(1, .008 * max(mask.shape))                         # smaller than this is dust
    keep = np.flatnonzero((extent > least) & (np.arange(count) > 0))
    keep = keep[np.argsort(-area[keep], kind='stable')][:most]
    x, y, w, h = boxes[keep].T
    edge = (x <= 1) * 1 + (y <= 1) + (x + w >= width - 1) + (y + h >= height - 1)
    return Parts(labels, keep, boxes[keep], area[keep], np.maximum(4 * depth[keep] / area[keep] - 1, 1), edge)


def gaps(
    a, # x, y, width, height
    b, # the same
):
    'How far two boxes are apart in x and in y; negative where they overlap.'
    return max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2]), max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])


def same_digit(
    a, # x, y, width, height of one piece of ink
    b, # and of another
):
    'Whether two pieces are strokes of one digit, judged by their boxes.'
    if max(a[2:]) < max(b[2:]): a, b = b, a
    size = max(a[2:])
    small = max(b[2:]) < .6 * size or b[3] < .5 * size               # shorter than a digit beside it would be
    across, down = gaps(a, b)                                      # negative: overlap
    apart = np.hypot(max(across, 0), max(down, 0)) / size
    if across < 0 and down < 0: return across * down > .3 * b[2] * b[3] or small
    if small: return apart < (.2 if across < 0 else .16)  # a flag, a bar, a break in the stroke
    return apart < .04


def union(boxes):
    'The box around boxes.'
    x, y = boxes[:, 0].min(), boxes[:, 1].min()
    return np.array([x, y, (boxes[:, 0] + boxes[:, 2]).max() - x, (boxes[:, 1] + boxes[:, 3]).max() - y])


def join_strokes(
    boxes, # (N, 4) x, y, width, height of the pieces, the largest first
):
    'Pieces to digits: a list of lists of indices.'
    groups = [[i] for i in range(len(boxes))]
    merged = True
    while merged:
        merged = False
        for i in range(len(groups)):
            for j in range(len(groups) - 1, i, -1):
                if same_digit(union(boxes[groups[i]]), union(boxes[groups[j]])):
                    groups[i] += groups.pop(j)
                    merged = True
    return groups


@dataclass
class Digit:
    'A group of strokes that may be a digit.'
    box: np.ndarray      # x, y, width, height in pixels of the working picture
    ids: list            # its numbers in `labels`
    area: float          # pixels
    stroke: float        # mean width of its strokes, pixels
    edge: int            # how many sides of the page it touches
    score: float = 0     # how much it looks like what the picture is of


def find_digits(
    parts, # the pieces of ink
    shape, # (H, W) of the page
):
    'All groups of strokes that may be digits, the likeliest first.'
    digits, (height, width) = [], shape
    for group in join_strokes(parts.boxes):
        box, area = union(parts.boxes[group]), float(parts.area[group].sum())
        stroke = float((parts.stroke[group] * parts.area[group]).sum() / area)
        edge = int(parts.edge[group[0]])
        off = np.hypot(box[0] + box[2] / 2 - width / 2, box[1] + box[3] / 2 - height / 2) / np.hypot(height, width)
        score = area * np.exp(-(off / .35)**2) * (1, .25, .08, .08, .08)[edge]
        digits.append(Digit(box, list(parts.ids[group]), area, stroke, edge, score))
    return sorted([d for d in digits if is_drawn(d, shape)], key=lambda d: -d.score)


def is_drawn(
    digit, # a candidate
    shape, # (H, W) of the page
):
    'Whether it can be a digit at all: no dot, dash, or strip along the edge of the page.'
    (x, y, w, h), (height, width) = digit.box, shape
    if w >= 3 * h: return False                                    # a dash
    if min(shape) < SMALL: return True
    inside = x + w > .03 * width and x < .97 * width and y + h > .03 * height and y < .97 * height
    return bool(inside and max(w, h) > max(2 * digit.stroke, .02 * max(shape)))


def is_shadow(
    digit, # a candidate on paper that is not perfectly flat
    shape, # (H, W) of the page
    peak,  # grey levels of the darkest ink
):
    'Whether it is rather a soft shade: faint and wide, or a wedge at the edge of the page.'
    wedge = digit.edge in (1, 2) and max(digit.box[2:]) < 5 * digit.stroke
    return wedge or peak < 30 and digit.stroke > .03 * max(shape)


def like_first(
    digits, # candidates, the likeliest first
):
    'Those of about the size and the pen of the first.'
    if not digits: return []
    size, stroke = max(digits[0].box[2:]), digits[0].stroke
    return [d for d in digits if d is digits[0] or not d.edge and .45 * size < max(d.box[2:]) < 2.2 * size and stroke / 3 < d.stroke < 3 * stroke]


def reading_order(digits):
    'Top to bottom by line, left to right within it.'
    rows = []
    for digit in sorted(digits, key=lambda d: d.box[1] + d.box[3] / 2):
        middle = digit.box[1] + digit.box[3] / 2
        for row in rows:
            top, bottom = row[-1].box[1], row[-1].box[1] + row[-1].box[3]
            if top < middle < bottom:
                row.append(digit)
                break
        else: rows.append([digit])
    return [d for row in rows for d in sorted(row, key=lambda d: d.box[0])]


# ---------------------------------------------------------------- 5. place

def overlap(
    count,   # pixels in the source row
    start,   # where the first output pixel starts, in source pixels
    step,    # source pixels per output pixel
    outputs=28,
):
    '(outputs, count) weights: each output pixel is the mean of the source pixels that it covers.'
    centre = start + (np.arange(outputs) + .5) * step
    reach = max(step, 1) / 2                                       # enlarging: a window of one pixel interpolates
    left = np.arange(count)
    covered = np.minimum(centre[:, None] + reach, left + 1) - np.maximum(centre[:, None] - reach, left)
    return (np.clip(covered, 0, None) / (2 * reach)).astype(np.float32)


def place(
    ink, # (H, W) float32, 0..1: the digit alone, with no paper around it
):
    'As MNIST was made: the digit in a box of 20x20, its centre of mass in the middle of 28x28.'
    height, width = ink.shape
    step = max(width, height) / 20                                 # source pixels per output pixel
    across, down = ink.sum(0), ink.sum(1)
    mass = max(float(across.sum()), 1e-6)
    centre = (down @ np.arange(.5, height)) / mass, (across @ np.arange(.5, width)) / mass
    first = [-np.ceil(14 - c / step - 1e-4) for c in centre]       # whole pixels, to between 14 and 15: as MNIST does
    rows, columns = overlap(height, first[0] * step, step), overlap(width, first[1] * step, step)
    return np.clip(rows @ ink @ columns.T, 0, 1)


def strengthen(
    image, # (28, 28) float32
):
    'Thin or faint strokes brought up to the white of MNIST; full ones left alone.'
    drawn = image[image > .05]
    level = float(np.quantile(drawn, .9)) if len(drawn) else 1
    return image if level > .9 else np.minimum(image / max(level, .05), 1).astype(np.float32)


# ---------------------------------------------------------------- the whole way

@dataclass
class Ink:
    'What was found in a picture.'
    image: np.ndarray             # (28, 28) float32, 0..1, white ink on black
    box: tuple = (0, 0, 0, 0)     # x, y, width, height in pixels of the source
    count: int = 0                # things that look like digits
    contrast: float = 0           # ink against paper, 0..1
    snr: float = 0                # the same over the noise of the paper
    digits: list = field(default_factory=list)

    @property
    def blank(self): return self.count == 0
    @property
    def several(self): return self.count > 1


def isolate(
    ink,    # (H, W) float32, 0..1
    parts,  # its pieces
    digit,  # the ones to keep
    floor,  # ink at or below this is paper
):
    'The ink of one digit alone, and its box.'
    x, y, width, height = digit.box
    window = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)  # its faint rim belongs to it
    chosen = np.isin(parts.labels[window], digit.ids)
    alone = ink[window] * cv2.dilate(chosen.astype(np.uint8), np.ones((3, 3), np.uint8))
    if floor:
        level = max(float(np.quantile(alone[chosen], .6)), 2 * floor)
        alone = np.clip((alone - floor) / (level - floor), 0, 1)
    return trim(alone, .3 if floor else 0)


def trim(
    ink,   # (H, W) float32
    least, # what is not above this is paper
):
    'Cut away the empty rows and columns around the ink.'
    rows, columns = [np.flatnonzero((ink > least).any(axis)) for axis in (1, 0)]
    return ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if len(rows) else ink


def find_ink(
    rgb, # (H, W, 3) uint8
    steps=None, # a dict to keep the pictures of the steps in
):
    'The chain up to the pieces of ink: ink (H, W) 0..1, its threshold, contrast and noise in grey levels.'
    steps = {} if steps is None else steps
    signed = flatten_light(rgb)
    noise, peak = noise_level(signed), peak_level(signed)
    steps['ink'] = ink = np.clip(signed / max(peak, 1), 0, 1)
    steps['lines removed'] = without = remove_lines(ink)
    if without is not ink:
        contrast = peak * peak_level(without)
        ink = np.clip(without * peak / max(contrast, 1), 0, 1)
        peak = contrast
    least = .08 if is_flat(rgb) else .25
    return ink, max(least, 4 * noise / max(peak, 1)), peak, noise


def find(
    source,     # path, bytes, PIL image, array or tensor
    steps=None, # a dict to keep the pictures of the steps in
):
    'Everything up to the placed digits: the page, its pieces, the candidates.'
    steps = {} if steps is None else steps
    rgb, steps['reduced'] = load(source)
    steps['picture'] = rgb
    steps['working size'] = small = shrink(rgb)
    ink, threshold, peak, noise = find_ink(small, steps)
    clear = peak >= 12 and peak > 5 * noise
    seen = cv2.GaussianBlur(ink, (3, 3), 0) if threshold > .08 else ink
    parts = find_parts(seen > threshold if clear else np.zeros(ink.shape, bool))
    digits = find_digits(parts, ink.shape)
    if not is_flat(small): digits = [d for d in digits if not is_shadow(d, ink.shape, peak)]
    return ink, threshold, parts, digits, peak, noise


def placed(
    ink,       # (H, W) float32, 0..1
    threshold, # ink above this was looked at
    parts,     # its pieces
    digit,     # the one to place
    steps=None, # a dict to keep the pictures of the steps in
):
    'One digit of the page as (28, 28) float32.'
    steps = {} if steps is None else steps
    floor = 0 if threshold <= .08 else .45 * threshold
    steps['digit alone'] = alone = isolate(ink, parts, digit, floor)
    steps['28x28'] = image = strengthen(place(alone))
    return image


def source_box(
    box,   # x, y, width, height in the working picture
    steps, # the pictures of the steps
):
    'The same box in pixels of the source.'
    scale = max(steps['picture'].shape) / max(steps['working size'].shape) * steps['reduced']
    return tuple(int(round(float(v * scale))) for v in box)


def prepare(
    source,     # path, bytes, PIL image, array or tensor
    steps=None, # a dict to keep the pictures of the steps in
):
    'The likeliest digit of a picture as MNIST would have it, and what else was seen.'
    steps = {} if steps is None else steps
    ink, threshold, parts, digits, peak, noise = find(source, steps)
    snr = peak / (noise + 1)
    if not digits: return Ink(np.zeros((28, 28), np.float32), contrast=peak / 255, snr=snr)
    image = placed(ink, threshold, parts, digits[0], steps)
    box = source_box(digits[0].box, steps)
    return Ink(image, box, len(like_first(digits)), peak / 255, snr, digits)


def prepare_all(
    source, # path, bytes, PIL image, array or tensor
):
    'Every digit of a picture in reading order, each as MNIST would have it.'
    steps = {}
    ink, threshold, parts, digits, peak, noise = find(source, steps)
    return [Ink(placed(ink, threshold, parts, digit), source_box(digit.box, steps), 1, peak / 255, peak / (noise + 1))
            for digit in reading_order(like_first(digits))]


def to_mnist(
    source, # path, bytes, PIL image, array or tensor
):
    'Any picture of a digit to (28, 28) float32 in 0..1, white ink on black.'
    return prepare(source).image


def trace(
    source, # path, bytes, PIL image, array or tensor
):
    'The picture after each step, by name.'
    steps = {}
    prepare(source, steps)
    return {name: picture for name, picture in steps.items() if name != 'reduced'}
