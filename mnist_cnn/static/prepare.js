// A drawing as MNIST would have it: what `mnist_cnn.imaging.prepare` does to a canvas, for pages without Python.
// One plain ES module, no imports, no build. The names and the order are the Python module's, whose notebook
// (nbs/03a_imaging.ipynb) gives the reasons; tests/test_docs_prepare.py compares the two on a thousand drawings.
//
//     import { prepare } from './prepare.js'
//     const { image, count } = prepare(drawing.frame())       // 28x28 floats in 0..1, and how many digits there are
//
// A canvas is one exact colour of paper, so of Python's two ways this is the one for flat paper.

const LEAST = 0.08            // ink fainter than this share of the darkest is paper
const STRIPS = 16             // a ruled line is seen in nearly all of so many strips across the page
const LEAST_STROKE = 0.1      // of the digit's size: MNIST's pens are about 2 to 3 of 20 pixels wide
const MOST_PARTS = 60         // so many of the largest pieces of ink are looked at
const OFF_PAGE = 9            // more than any ink: off the page, any line may pass

/** An image: `height` rows of `width` floats. */
const blank = (width, height) => ({ width, height, data: new Float32Array(width * height) })
const clamp = (value, low, high) => Math.min(high, Math.max(low, value))
const sum = values => values.reduce((total, value) => total + value, 0)
const largest = values => values.reduce((a, b) => Math.max(a, b), -Infinity)
const sorted = values => Float32Array.from(values).sort()
/** To the nearest whole number, halves to the even one: as NumPy and Python round. */
function roundEven(value) {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + (below % 2 !== 0) : Math.round(value)
}
/** The value that a share `q` of the values lies below, between two of them where need be. */
function quantile(values, q) {
  const order = sorted(values), at = q * (order.length - 1), i = Math.floor(at)
  return order[i] + (order[Math.min(i + 1, order.length - 1)] - order[i]) * (at - i)
}

/**
 * The likeliest digit of a drawing.
 * @param {Uint8Array} grey the drawing, `side` x `side` bytes
 * @param {number} side pixels
 * @returns {{image: Float32Array, count: number, box: number[]}} the digit as 28x28 floats in 0..1, white on black;
 *   how many things in the drawing look like digits; and x, y, width and height of this one, in pixels of the drawing
 */
export function prepare(grey, side = Math.sqrt(grey.length)) {
  const { ink, contrast } = findInk(grey, side)
  const parts = contrast >= 12 ? findParts(ink) : { list: [] }
  const digits = findDigits(parts.list, side)
  if (!digits.length) return { image: new Float32Array(784), count: 0, box: [0, 0, 0, 0] }
  const alone = widen(isolate(ink, parts, digits[0]), digits[0].stroke)
  return { image: strengthen(place(alone)), count: likeFirst(digits).length, box: digits[0].box }
}

// --- what is ink ---------------------------------------------------------------------------------------

/** Ink in 0..1, of whatever colour the paper is, without ruling; and its contrast to the paper in grey levels. */
function findInk(grey, side) {
  const ink = blank(side, side)
  const paper = paperLevel(grey, side)
  const sign = inkIsDarker(grey, paper) ? -1 : 1
  grey.forEach((value, i) => { ink.data[i] = sign * (value - paper) })
  const peak = peakLevel(ink)
  rescale(ink, peak)
  const without = removeLines(ink, Math.fround(LEAST / 2))
  if (without === ink) return { ink, contrast: peak }
  const left = peakLevel(without)                            // the ink may be fainter than its lines were
  for (let i = 0; i < without.data.length; i++) without.data[i] = clamp(without.data[i] / Math.max(left, 1 / Math.max(peak, 1)), 0, 1)
  return { ink: without, contrast: peak * left }
}

function rescale(ink, peak) {
  for (let i = 0; i < ink.data.length; i++) ink.data[i] = clamp(ink.data[i] / Math.max(peak, 1), 0, 1)
}

/** The colour that the border has for the most part. */
function paperLevel(grey, side) {
  const frame = [], last = side * (side - 1)
  for (let i = 0; i < side; i++) frame.push(grey[i], grey[last + i], grey[i * side], grey[i * side + side - 1])
  return quantile(frame, 0.5)
}

function inkIsDarker(grey, paper) {
  const difference = Float32Array.from(grey, value => value - paper)
  const limit = Math.max(quantile(difference.map(Math.abs), 0.998) * 0.5, 1)
  const strong = difference.filter(value => Math.abs(value) >= limit)
  return !strong.length || sum(strong) < 0
}

/** How dark the ink gets: the level that a few strokes reach. */
function peakLevel({ data }) {
  return sorted(data).at(-Math.max(1, Math.floor(data.length / 3000)))
}

// --- ruling and box lines ------------------------------------------------------------------------------

function removeLines(ink, least) {
  const reach = boundingBox(ink, value => value > least)
  const across = reach[2] > 0.8 * ink.width ? findLines(ink, least) : []
  const down = reach[3] > 0.8 * ink.height ? findLines(transpose(ink), least) : []
  let without = across.length ? eraseLines(ink, across) : ink
  if (down.length) without = transpose(eraseLines(transpose(without), down))
  return without
}

/** The thin lines that cross a page from left to right: y at the left, y at the right, thickness. */
function findLines(ink, least) {
  const strips = inStrips(ink)
  const most = Math.max(1, Math.min(Math.floor(ink.width / 10), Math.floor(ink.height / 3)))
  const { level, tilt } = lineLevels(strips, most, least)
  const lines = []
  for (const [start, stop] of runs(level, value => value > least)) {
    const here = level.subarray(start, stop), peak = start + here.indexOf(largest(here))
    const dark = here.filter(value => value > Math.fround(level[peak] * Math.fround(0.4))).length
    if (dark > 5 + 0.04 * ink.height) continue               // a bar, or an edge of something
    const thick = Math.max(1, dark - 2)
    lines.push([...follow(strips, peak, tilt[peak], 2 + thick), thick])
  }
  return lines
}

/** The mean ink of each row in 16 strips, less what runs down all rows. */
function inStrips(ink) {
  const strips = blank(STRIPS, ink.height), wide = ink.width / STRIPS
  for (let y = 0; y < ink.height; y++) {
    for (let s = 0; s < STRIPS; s++) strips.data[y * STRIPS + s] = sum(ink.data.subarray(y * ink.width + s * wide, y * ink.width + (s + 1) * wide)) / wide
  }
  for (let s = 0; s < STRIPS; s++) {
    const all = Math.fround(quantile(strips.data.filter((_, i) => i % STRIPS === s), 0.3))
    for (let y = 0; y < ink.height; y++) strips.data[y * STRIPS + s] -= all
  }
  return strips
}

/** How much of a straight line there is through the middle of each row, at the best of all tilts, and that tilt. */
function lineLevels(strips, most, least) {
  const { height } = strips
  const level = new Float32Array(height), tilt = new Int32Array(height)
  const near = morph(strips, rectangle(1, 3), Math.max)                    // a pixel beside the line counts too
  const at = (y, s) => (y < 0 || y >= height ? OFF_PAGE : near.data[y * STRIPS + s])
  const rises = new Set(Array.from({ length: 41 }, (_, i) => Math.trunc(-most + (i * most) / 20)))
  for (const rise of [...rises].sort((a, b) => a - b)) {
    for (let y = 0; y < height; y++) {
      const along = new Float32Array(STRIPS)
      for (let s = 0; s < STRIPS; s++) along[s] = at(y + roundEven((-0.5 + s / (STRIPS - 1)) * rise), s)
      const there = sorted(along)[2] * (along.filter(value => value < OFF_PAGE).length / STRIPS)   // all strips but two have this much
      if (there > Math.fround(level[y] + Math.fround(rise ? 0.02 : 0))) { level[y] = there; tilt[y] = rise }
    }
  }
  return { level, tilt }
}

function runs(values, test) {
  const found = []
  values.forEach((value, i) => {
    if (!test(value)) return
    if (i > 0 && test(values[i - 1])) found.at(-1)[1] = i + 1
    else found.push([i, i + 1])
  })
  return found
}

/** A line, laid exactly through the ink nearby in each strip: least squares. */
function follow(strips, row, rise, reach) {
  const xs = [], ys = []
  for (let s = 0; s < STRIPS; s++) {
    const x = -0.5 + s / (STRIPS - 1), middle = roundEven(row + x * rise)
    let mass = 0, moment = 0
    for (let y = middle - reach; y <= middle + reach; y++) {
      const inside = y >= 0 && y < strips.height
      const ink = (inside ? Math.max(strips.data[y * STRIPS + s], 0) : 0) + 1e-6
      mass += ink
      moment += y * ink
    }
    xs.push(x)
    ys.push(moment / mass)
  }
  const mean = sum(ys) / STRIPS
  const slope = sum(xs.map((x, i) => x * (ys[i] - mean))) / sum(xs.map(x => x * x))
  return [mean - slope / 2, mean + slope / 2]
}

/** Take lines away that run from left to right, and bridge the strokes that they cut. */
function eraseLines(ink, lines) {
  const { width, height } = ink
  const ruled = blank(width, height)
  const strokes = lines.map(([left, right, thick]) => [lineInk(ink, left, right), left, right, thick])
  strokes.sort((a, b) => { for (const i of [0, 1, 2, 3]) if (a[i] !== b[i]) return a[i] - b[i]; return 0 })
  for (const [level, left, right, thick] of strokes) drawBand(ruled, roundEven(left), roundEven(right), thick + 4, level)
  const onLine = ruled.data.map((level, i) => Number(level > 0 && ink.data[i] < Math.fround(Math.fround(1.4) * level) + Math.fround(0.1)))
  const without = { width, height, data: ink.data.map((value, i) => (onLine[i] ? 0 : value)) }
  const tall = Math.max(...lines.map(([, , thick]) => thick)) + 6                  // from above the line to below it
  const bridged = morph(morph(without, rectangle(3, tall), Math.max), rectangle(3, tall), Math.min)
  without.data.forEach((_, i) => { if (onLine[i]) without.data[i] = Math.min(bridged.data[i], ink.data[i]) })
  return without
}

/** How dark a line is: digits may cross half of it. */
function lineInk(ink, left, right) {
  const along = []
  for (let x = 0; x < ink.width; x++) {
    const row = roundEven(left + ((right - left) * x) / (ink.width - 1))
    if (row < 0 || row >= ink.height) continue
    along.push(Math.max(...[-1, 0, 1].map(step => ink.data[clamp(row + step, 0, ink.height - 1) * ink.width + x])))
  }
  return along.length ? Math.min(1.5 * quantile(along, 0.45) + 0.02, quantile(along, 0.7)) : 0
}

/** A thick line from one side of the page to the other, with the pixels that OpenCV's `line` inks: whole numbers of 1/65536. */
function drawBand(image, left, right, thick, level) {
  const { width, height } = image, half = (thick + (thick % 2)) / 2
  const ends = clip([thick, left + thick], [width - 1 + thick, right + thick], width + 2 * thick - 1, height + 2 * thick - 1)
  if (!ends) return
  const [[x0, y0], [x1, y1]] = ends.map(([x, y]) => [x - thick, y - thick])
  const scale = (half * ONE) / Math.hypot(x1 - x0, y1 - y0)
  const aside = roundEven((y1 - y0) * scale), up = roundEven((x1 - x0) * scale)         // from the middle of an end to a corner
  const corners = [[x0 * ONE + aside, y0 * ONE - up], [x0 * ONE - aside, y0 * ONE + up], [x1 * ONE - aside, y1 * ONE + up], [x1 * ONE + aside, y1 * ONE - up]]
  const ink = (x, y) => { if (x >= 0 && x < width && y >= 0 && y < height) image.data[y * width + x] = level }
  corners.forEach((corner, i) => outline(corners.at(i - 1), corner, image, ink))
  fillRows(corners, image, ink)
  for (let y = -half; y <= half; y++) { ink(x0, y0 + y); ink(x1, y1 + y) }              // the ends are round
}

const ONE = 65536
const pixel = value => Math.floor((value + ONE / 2) / ONE)

/** The edge of a shape: a pixel for each step along its longer side, from the first that is on the page. */
function outline(from, to, { width, height }, ink) {
  const ends = clip(from, to, width * ONE - 1, height * ONE - 1)
  if (!ends) return
  const along = Math.abs(ends[1][0] - ends[0][0]) > Math.abs(ends[1][1] - ends[0][1]) ? 0 : 1
  const [a, b] = ends[0][along] > ends[1][along] ? [ends[1], ends[0]] : ends
  const length = b[along] - a[along], step = Math.trunc(((b[1 - along] - a[1 - along]) * ONE) / (length + 1 - (length % 2)))
  for (let i = 0; i <= Math.floor(length / ONE); i++) {
    const point = [pixel(a[along]) + i, pixel(a[1 - along] + i * step)]
    ink(point[along], point[1 - along])
  }
  ink(pixel(b[0]), pixel(b[1]))
}

/** The part of a line from a to b that is on the page; nothing where none is. */
function clip(a, b, right, bottom) {
  const ends = [[...a], [...b]]
  for (const [axis, most] of [[1, bottom], [0, right]]) {
    for (const side of [0, 1]) {
      const [end, other] = [ends[side], ends[1 - side]], edge = end[axis] < 0 ? 0 : most
      if (end[axis] >= 0 && end[axis] <= most) continue
      if (other[axis] === end[axis] || (other[axis] < 0 && edge === 0) || (other[axis] > most && edge === most)) return null
      end[1 - axis] += Math.trunc(((edge - end[axis]) * (other[1 - axis] - end[1 - axis])) / (other[axis] - end[axis]))
      end[axis] = edge
    }
  }
  return ends
}

/** The rows between the two chains of edges that lead down from the topmost corner. */
function fillRows(corners, { height }, ink) {
  const count = corners.length, first = corners.findIndex(([, y]) => y === Math.min(...corners.map(corner => corner[1])))
  const chain = turn => {
    const xs = new Map()
    for (let i = 0, at = first; i < count; i++, at = (at + turn + count) % count) {
      const [x, y] = corners[at], [nextX, nextY] = corners[(at + turn + count) % count]
      const start = pixel(y), rows = pixel(nextY) - start
      if (rows <= 0) continue
      const step = Math.trunc(((nextX - x) * 2 + rows) / (2 * rows))
      for (let row = 0; row <= rows; row++) xs.set(start + row, x + row * step)
    }
    return xs
  }
  const [one, other] = [chain(1), chain(-1)]
  for (const [y, x] of one) {
    if (!other.has(y) || y >= height) continue
    for (let u = Math.max(0, pixel(Math.min(x, other.get(y)))); u <= pixel(Math.max(x, other.get(y))); u++) ink(u, y)
  }
}

const transpose = ({ width, height, data }) => ({ width: height, height: width, data: data.map((_, i) => data[(i % height) * width + Math.floor(i / height)]) })

// --- pieces of ink, and which of them make a digit -----------------------------------------------------

/** Connected pieces of ink without specks, the largest first, and which of them each pixel belongs to. */
function findParts(ink) {
  const mask = ink.data.map(value => Number(value > Math.fround(LEAST)))
  const { width, height } = ink
  const labels = new Int32Array(width * height)
  const depth = distances(mask, width, height)
  let count = 0
  const found = []
  for (const start of blockOrder(width, height)) {
    if (!mask[start] || labels[start]) continue
    const part = { id: ++count, area: 0, depth: 0, left: width, top: height, right: 0, bottom: 0 }
    const queue = [start]
    labels[start] = part.id
    while (queue.length) {
      const i = queue.pop(), x = i % width, y = Math.floor(i / width)
      part.area += 1
      part.depth += depth[i]
      part.left = Math.min(part.left, x)
      part.right = Math.max(part.right, x)
      part.top = Math.min(part.top, y)
      part.bottom = Math.max(part.bottom, y)
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
          const j = v * width + u
          if (mask[j] && !labels[j]) { labels[j] = part.id; queue.push(j) }
        }
      }
    }
    found.push(part)
  }
  const list = found.map(part => describe(part, width, height)).filter(({ box }) => Math.max(box[2], box[3]) > Math.max(1, 0.008 * Math.max(width, height)))
  list.sort((a, b) => b.area - a.area)
  return { labels, list: list.slice(0, MOST_PARTS) }
}

/** Pixels two rows and two columns at a time: the order in which OpenCV numbers pieces, which decides between equals. */
function* blockOrder(width, height) {
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (const [u, v] of [[x, y], [x + 1, y], [x, y + 1], [x + 1, y + 1]]) if (u < width && v < height) yield v * width + u
    }
  }
}

function describe({ id, area, depth, left, top, right, bottom }, width, height) {
  const edge = (left <= 1) + (top <= 1) + (right >= width - 2) + (bottom >= height - 2)   // how many sides of the page it touches
  return { id, area, edge, box: [left, top, right - left + 1, bottom - top + 1], stroke: Math.max((4 * depth) / area - 1, 1) }
}

/** How far each pixel of ink is from the paper: a chamfer of 3x3, whose steps are OpenCV's for `DIST_L2`. */
function distances(mask, width, height) {
  const STRAIGHT = 0.955, DIAGONAL = 1.3693, wide = width + 2
  const far = new Float64Array(wide * (height + 2))              // with a rim of paper: the edge of the page ends a stroke
  const at = i => (Math.floor(i / width) + 1) * wide + (i % width) + 1
  const relax = (i, back) => {
    const j = at(i), side = back ? -1 : 1
    if (mask[i]) far[j] = Math.min(far[j], far[j - side] + STRAIGHT, far[j - side * wide] + STRAIGHT, far[j - side * (wide - 1)] + DIAGONAL, far[j - side * (wide + 1)] + DIAGONAL)
  }
  mask.forEach((ink, i) => { if (ink) far[at(i)] = Infinity })
  for (let i = 0; i < mask.length; i++) relax(i, false)
  for (let i = mask.length - 1; i >= 0; i--) relax(i, true)
  return Float64Array.from(mask, (_, i) => far[at(i)])
}

/** All groups of pieces that may be digits, the likeliest first: large, central, not cut off. */
function findDigits(parts, side) {
  const digits = joinStrokes(parts).map(group => {
    const box = union(group.map(part => part.box)), area = sum(group.map(part => part.area)), { edge } = group[0]
    const stroke = sum(group.map(part => part.stroke * part.area)) / area
    const off = Math.hypot(box[0] + box[2] / 2 - side / 2, box[1] + box[3] / 2 - side / 2) / Math.hypot(side, side)
    const score = area * Math.exp(-((off / 0.35) ** 2)) * [1, 0.25, 0.08, 0.08, 0.08][edge]
    return { box, stroke, edge, score, ids: group.map(part => part.id) }
  })
  return digits.filter(digit => isDrawn(digit, side)).sort((a, b) => b.score - a.score)
}

/** Put pieces together until none belong together any more. */
function joinStrokes(parts) {
  const groups = parts.map(part => [part]), around = parts.map(part => part.box)
  for (let i = 0; i < groups.length;) {
    const j = around.findIndex((box, k) => k !== i && sameDigit(around[i], box))
    if (j < 0) { i += 1; continue }
    const [first, second] = [Math.min(i, j), Math.max(i, j)]
    groups[first] = groups[first].concat(...groups.splice(second, 1))
    around[first] = union([around[first], ...around.splice(second, 1)])
    i = 0
  }
  return groups
}

/** Whether two pieces are strokes of one digit, judged by their boxes: x, y, width, height. */
function sameDigit(a, b) {
  if (Math.max(a[2], a[3]) < Math.max(b[2], b[3])) [a, b] = [b, a]
  const size = Math.max(a[2], a[3])
  const small = Math.max(b[2], b[3]) < 0.6 * size || b[3] < 0.5 * size     // shorter than a digit beside it would be
  const [across, down] = [0, 1].map(axis => Math.max(a[axis], b[axis]) - Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]))
  const whole = union([a, b])
  if (whole[2] > 1.4 * whole[3] && Math.min(a[3], b[3]) > 0.5 * whole[3]) return false   // side by side
  const apart = Math.hypot(Math.max(across, 0), Math.max(down, 0)) / size
  if (across < 0 && down < 0) return small || across * down > 0.3 * b[2] * b[3]
  if (small) return apart < (across < 0 ? 0.2 : 0.16)                      // a flag, a bar, a break in the stroke
  return apart < 0.04
}

function union(boxes) {
  const [x, y] = [0, 1].map(axis => Math.min(...boxes.map(box => box[axis])))
  return [x, y, Math.max(...boxes.map(box => box[0] + box[2])) - x, Math.max(...boxes.map(box => box[1] + box[3])) - y]
}

/** Whether it can be a digit at all: no dot, dash, or strip along the edge of the page. */
function isDrawn({ box: [x, y, w, h], stroke }, side) {
  if (w >= 3 * h) return false                                             // a dash
  const inside = x + w > 0.03 * side && x < 0.97 * side && y + h > 0.03 * side && y < 0.97 * side
  return inside && Math.max(w, h) > Math.max(2 * stroke, 0.02 * side)
}

/** Those of about the size and the pen of the first. */
function likeFirst([first, ...others]) {
  const size = Math.max(first.box[2], first.box[3])
  const alike = ({ box, stroke }) => Math.max(box[2], box[3]) > 0.45 * size && Math.max(box[2], box[3]) < 2.2 * size
    && stroke > first.stroke / 3 && stroke < 3 * first.stroke
  return [first, ...others.filter(digit => !digit.edge && alike(digit))]
}

// --- one digit, placed as in MNIST ---------------------------------------------------------------------

/** The ink of one digit alone, with its faint rim, and without the paper around it. */
function isolate(ink, { labels }, { box: [x, y, w, h], ids }) {
  const left = Math.max(x - 1, 0), top = Math.max(y - 1, 0)
  const alone = blank(Math.min(x + w + 1, ink.width) - left, Math.min(y + h + 1, ink.height) - top)
  const source = i => (top + Math.floor(i / alone.width)) * ink.width + left + (i % alone.width)
  alone.data.forEach((_, i) => { alone.data[i] = Number(ids.includes(labels[source(i)])) })
  const rim = morph(alone, rectangle(3, 3), Math.max)
  alone.data.forEach((_, i) => { alone.data[i] = rim.data[i] * ink.data[source(i)] })
  return crop(alone)
}

/** A stroke much thinner than any in MNIST, drawn over with a wider pen. */
function widen(ink, stroke) {
  const more = Math.trunc(LEAST_STROKE * Math.max(ink.width, ink.height) - stroke + 0.5)
  if (more < 1 || Math.max(ink.width, ink.height) < 2 * 20) return ink     // a small digit's pixels are wide enough
  const padded = blank(ink.width + 2 * more, ink.height + 2 * more)
  for (let y = 0; y < ink.height; y++) padded.data.set(ink.data.subarray(y * ink.width, (y + 1) * ink.width), (y + more) * padded.width + more)
  return crop(morph(padded, ellipse(more + 1), Math.max))
}

/** In a box of 20x20, its centre of mass in the middle of 28x28; each pixel is the mean of what it covers. */
function place(ink) {
  const { width, height, data } = ink
  const step = Math.max(width, height) / 20
  let mass = 0, right = 0, down = 0
  data.forEach((value, i) => {
    mass += value
    right += value * ((i % width) + 0.5)
    down += value * (Math.floor(i / width) + 0.5)
  })
  const [left, top] = [right, down].map(moment => -Math.ceil(14 - moment / Math.max(mass, 1e-6) / step - 1e-4) * step)
  const columns = overlap(width, left, step), rows = overlap(height, top, step)
  const image = new Float32Array(784)
  for (let y = 0; y < 28; y++) {
    const line = new Float64Array(width)                                   // the rows that this one covers, added
    rows[y].forEach((share, v) => { if (share) for (let u = 0; u < width; u++) line[u] += share * data[v * width + u] })
    for (let x = 0; x < 28; x++) image[28 * y + x] = clamp(sum(columns[x].map((share, u) => share * line[u])), 0, 1)
  }
  return image
}

/** Weights with which each of 28 pixels is the mean of the source pixels that it covers. */
function overlap(count, start, step) {
  const reach = Math.max(step, 1) / 2                                      // enlarging: a window of one pixel interpolates
  return Array.from({ length: 28 }, (_, i) => {
    const centre = start + (i + 0.5) * step
    return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(centre + reach, k + 1) - Math.max(centre - reach, k)) / (2 * reach))
  })
}

/** Thin or faint strokes brought up to the white of MNIST; full ones left alone. */
function strengthen(image) {
  const drawn = image.filter(value => value > Math.fround(0.05))
  const level = drawn.length ? quantile(drawn, 0.9) : 1
  return level > 0.9 ? image : image.map(value => Math.min(value / Math.max(level, 0.05), 1))
}

// --- images --------------------------------------------------------------------------------------------

/** x, y, width and height of all pixels that pass the test; nothing where none does. */
function boundingBox({ width, height, data }, test) {
  let [left, top, right, bottom] = [width, height, -1, -1]
  data.forEach((value, i) => {
    if (!test(value)) return
    const x = i % width, y = Math.floor(i / width)
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  })
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1]
}

/** The part of an image that has ink. */
function crop(image) {
  const [x, y, width, height] = boundingBox(image, value => value > 0)
  if (!width) return image
  const part = blank(width, height)
  for (let v = 0; v < height; v++) part.data.set(image.data.subarray((y + v) * image.width + x, (y + v) * image.width + x + width), v * width)
  return part
}

/** The offsets that a pen of a shape covers; those of an even one reach further to the left and up. */
function rectangle(width, height) {
  const offsets = []
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) offsets.push([x - Math.floor(width / 2), y - Math.floor(height / 2)])
  return offsets
}

function ellipse(size) {
  const radius = Math.floor(size / 2), offsets = []
  for (let y = 0; y < size; y++) {
    const half = roundEven(radius * Math.sqrt(Math.max(0, radius ** 2 - (y - radius) ** 2) / (radius ** 2 || 1)))
    for (let x = Math.max(radius - half, 0); x < Math.min(radius + half + 1, size); x++) offsets.push([x - radius, y - radius])
  }
  return offsets
}

/** The largest (`Math.max`: dilation) or smallest (`Math.min`: erosion) of the pixels around each; none are outside. */
function morph({ width, height, data }, offsets, pick) {
  const result = new Float32Array(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = data[y * width + x]                                       // every pen covers its own middle
      for (const [dx, dy] of offsets) {
        const u = x + dx, v = y + dy
        if (u >= 0 && u < width && v >= 0 && v < height) best = pick(best, data[v * width + u])
      }
      result[y * width + x] = best
    }
  }
  return { width, height, data: result }
}
