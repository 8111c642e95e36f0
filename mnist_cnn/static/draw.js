// The drawing surface of the notebook widget, the web page and the docs: one plain ES module, no imports, no build.
//
//     import { Drawing, mountPad } from './draw.js'
//     const { drawing } = mountPad(document.querySelector('#pad'))
//     drawing.addEventListener('ink', () => send(drawing.frame()))

const PEN = { least: 0.03, usual: 0.085, most: 0.15 }   // widths, as a fraction of the sheet's side
const NEAR = 0.004                                      // a point nearer than this to the last adds bytes, not shape
const round = value => Math.round(value * 1000) / 1000

/**
 * A drawing: strokes in the unit square, their history, and their picture in grey bytes.
 *
 * Any number of pads can show one drawing. It tells them, and you, by three events:
 * `ink` (it looks different), `step` (a stroke, undo, redo, clear or load is complete), `pen` (the pen's width).
 */
export class Drawing extends EventTarget {
  strokes = []      // [{ width, points: [[x, y, pressure], ...] }, ...]
  #past = []
  #future = []
  #live = null
  #pen = PEN.usual
  #picture = document.createElement('canvas')

  get blank() { return this.strokes.length === 0 }
  get busy() { return this.#live !== null }
  get canUndo() { return this.#past.length > 0 }
  get canRedo() { return this.#future.length > 0 }

  /** The pen's width as a fraction of the sheet's side. */
  get pen() { return this.#pen }
  set pen(width) {
    this.#pen = round(Math.min(PEN.most, Math.max(PEN.least, width)))
    this.#tell('pen')
  }

  /** Put the pen down. */
  begin(x, y, pressure = 0.5) {
    this.#remember()
    this.#live = { width: this.#pen, points: [[round(x), round(y), round(pressure)]] }
    this.strokes = [...this.strokes, this.#live]
    this.#tell('ink')
  }

  /** Move the pen that is down through these points, each `[x, y, pressure]`. */
  extend(...points) {
    if (!this.#live) return
    for (const [x, y, pressure = 0.5] of points) {
      const [lastX, lastY] = this.#live.points.at(-1)
      if (Math.hypot(x - lastX, y - lastY) >= NEAR) this.#live.points.push([round(x), round(y), round(pressure)])
    }
    this.#tell('ink')
  }

  /** Lift the pen. */
  end() {
    if (!this.#live) return
    this.#live = null
    this.#tell('step')
  }

  undo() { this.#travel(this.#past, this.#future) }
  redo() { this.#travel(this.#future, this.#past) }

  clear() {
    if (this.blank) return
    this.#remember()
    this.#replace([])
  }

  /** Show these strokes instead; the history starts anew. */
  load(strokes) {
    this.#past = []
    this.#future = []
    this.#replace(structuredClone(strokes))
  }

  /** The picture as `size` x `size` grey bytes, white ink on black as in MNIST. */
  frame(size = 112) {
    const canvas = this.#picture
    canvas.width = canvas.height = size
    const context = canvas.getContext('2d', { willReadFrequently: true })
    paintStrokes(context, this.strokes, size, '#fff')
    const rgba = context.getImageData(0, 0, size, size).data
    return Uint8Array.from({ length: size * size }, (_, i) => rgba[4 * i + 3])   // on a clear sheet, alpha is the ink
  }

  #remember() {
    this.#past.push(this.strokes)
    this.#future = []
  }

  #travel(from, to) {
    if (!from.length) return
    to.push(this.strokes)
    this.#replace(from.pop())
  }

  #replace(strokes) {
    this.#live = null
    this.strokes = strokes
    this.#tell('ink')
    this.#tell('step')
  }

  #tell(what) { this.dispatchEvent(new Event(what)) }
}

/** Paint strokes on a clear canvas of `side` x `side` pixels. */
function paintStrokes(context, strokes, side, colour) {
  context.clearRect(0, 0, side, side)
  context.strokeStyle = colour
  context.lineCap = context.lineJoin = 'round'
  for (const stroke of strokes) paintStroke(context, stroke, side)
}

/**
 * One smooth curve from the middle of each step to the middle of the next, and straight on to the pen at its end.
 * It is painted as one path wherever the width stays the same: soft edges that overlap would show as knots.
 */
function paintStroke(context, { width, points }, side) {
  const point = i => points[Math.max(0, i)].map(value => value * side)
  const middle = i => [0, 1].map(axis => (point(i - 1)[axis] + point(i)[axis]) / 2)
  const weight = i => width * side * (0.6 + 0.8 * points[i][2])    // pressure 0.5, a mouse's, is the pen's own width
  points.forEach((_, i) => {
    if (i === 0 || weight(i) !== weight(i - 1)) {
      if (i) context.stroke()
      context.beginPath()
      context.lineWidth = weight(i)
      context.moveTo(...middle(i - 1))
    }
    context.quadraticCurveTo(...point(i - 1).slice(0, 2), ...middle(i))
  })
  const [x, y] = point(points.length - 1)
  context.lineTo(x, y + (points.length === 1 ? 0.01 : 0))          // a line of no length has no round end: a dot needs some
  context.stroke()
}

const ICON = {
  undo: 'M9 7 4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-3',
  redo: 'M15 7l4.5 4.5L15 16M19 11.5h-9a5 5 0 0 0 0 10h3',
  clear: 'M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13',
}
const button = (name, title) => `<button type="button" class="mc-button" data-do="${name}" title="${title}" aria-label="${title}">
  <svg viewBox="0 0 24 26" aria-hidden="true"><path d="${ICON[name]}"/></svg></button>`

const PAD = `
  <div class="mc-sheet">
    <canvas class="mc-canvas" tabindex="0" role="img"></canvas>
    <span class="mc-hint" aria-hidden="true">Draw a digit</span>
  </div>
  <div class="mc-tools" role="toolbar" aria-label="Drawing tools">
    ${button('undo', 'Undo (Z)')}${button('redo', 'Redo (Shift Z)')}${button('clear', 'Clear (Delete)')}
    <label class="mc-pen"><span>Pen</span><input type="range" min="${PEN.least}" max="${PEN.most}" step="0.005" title="Pen width ([ and ])"></label>
  </div>`
const LABEL = 'Drawing area. Draw a digit with mouse, pen or finger, or with the arrow keys, where Space lowers and lifts the pen. '
  + 'Z undoes, Shift Z redoes, Delete clears, the square brackets change the pen.'

/**
 * Put a pad to draw on into `parent`.
 * @param {Element} parent where it goes
 * @param {{drawing?: Drawing, label?: string}} options the drawing to show, and what a screen reader calls the sheet
 * @returns {{drawing: Drawing, element: Element, destroy: () => void}}
 */
export function mountPad(parent, { drawing = new Drawing(), label = LABEL } = {}) {
  const element = document.createElement('div')
  element.className = 'mc-pad'
  element.innerHTML = PAD
  parent.append(element)
  const canvas = element.querySelector('canvas')
  canvas.setAttribute('aria-label', label)
  // JupyterLab hears a key before the page does, and spares only a focused node that says so itself ...
  for (const node of element.querySelectorAll('canvas, button, input')) node.toggleAttribute('data-lm-suppress-shortcuts', true)

  const ending = new AbortController()
  const { signal } = ending
  showInk(canvas, element, drawing, signal)
  followPointer(canvas, drawing, signal)
  followKeys(canvas, drawing, signal)
  followTools(element, drawing, signal)
  return { drawing, element, destroy() { ending.abort(); element.remove() } }
}

/** Keep the canvas sharp and in the theme's colours, whatever its size, the screen and the theme are. */
function showInk(canvas, element, drawing, signal) {
  const context = canvas.getContext('2d')
  let colour = ''
  const paint = () => {
    paintStrokes(context, drawing.strokes, canvas.width, colour)
    element.classList.toggle('mc-blank', drawing.blank)
  }
  const renew = () => {
    const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1))
    const now = getComputedStyle(canvas).color
    if (!side || (side === canvas.width && now === colour)) return
    colour = now
    canvas.width = canvas.height = side
    paint()
  }
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', renew, { signal })
  window.addEventListener('resize', renew, { signal })             // zooming changes devicePixelRatio, not the CSS size
  const sizes = new ResizeObserver(renew)
  sizes.observe(canvas)
  const themes = new MutationObserver(renew)                       // a page keeps its theme in an attribute of its root or body
  for (const node of [document.documentElement, document.body]) themes.observe(node, { attributes: true })
  signal.addEventListener('abort', () => { sizes.disconnect(); themes.disconnect() })
  drawing.addEventListener('ink', paint, { signal })
  paint()
}

/** Draw with whatever points: the first pointer that goes down draws, others wait until it is up. */
function followPointer(canvas, drawing, signal) {
  let pointer = null
  const place = event => {
    const box = canvas.getBoundingClientRect()
    const pressure = event.pointerType === 'pen' ? event.pressure : 0.5
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, pressure]
  }
  const on = (name, act) => canvas.addEventListener(name, act, { signal })
  on('pointerdown', event => {
    if (event.button !== 0 || pointer !== null) return
    event.preventDefault()
    canvas.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
    pointer = event.pointerId
    drawing.begin(...place(event))
  })
  on('pointermove', event => {
    if (event.pointerId !== pointer) return
    const steps = event.getCoalescedEvents?.() ?? []                // all the points since the last frame; none if made by a script
    drawing.extend(...(steps.length ? steps : [event]).map(place))
  })
  const lift = event => {
    if (event.pointerId !== pointer) return
    pointer = null
    drawing.end()
  }
  on('pointerup', lift)
  on('pointercancel', lift)
}

/** What a key means on the sheet: an action's name, or undefined. */
function meaning({ key, shiftKey, ctrlKey, metaKey, altKey }) {
  const letter = key.toLowerCase()
  if (altKey) return undefined
  if (letter === 'z') return shiftKey ? 'redo' : 'undo'
  if (ctrlKey || metaKey) return letter === 'y' ? 'redo' : undefined
  return { delete: 'clear', backspace: 'clear', '[': 'thinner', ']': 'thicker', ' ': 'lift' }[letter]
    ?? (letter.startsWith('arrow') ? letter : undefined)
}

/** Shortcuts, and a pen for the keyboard: a dot that the arrows move and Space lowers and lifts. */
function followKeys(canvas, drawing, signal) {
  const at = [0.5, 0.3]
  const dot = document.createElement('span')
  dot.className = 'mc-dot'
  const go = (dx, dy) => {
    at[0] = Math.min(0.97, Math.max(0.03, at[0] + dx * 0.03))
    at[1] = Math.min(0.97, Math.max(0.03, at[1] + dy * 0.03))
    dot.style.left = `${100 * at[0]}%`
    dot.style.top = `${100 * at[1]}%`
    canvas.parentElement.append(dot)
    drawing.extend(at)
  }
  const acts = {
    undo: () => drawing.undo(), redo: () => drawing.redo(), clear: () => drawing.clear(),
    thinner: () => { drawing.pen -= 0.01 }, thicker: () => { drawing.pen += 0.01 },
    lift: () => { go(0, 0); drawing.busy ? drawing.end() : drawing.begin(...at) },
    arrowleft: () => go(-1, 0), arrowright: () => go(1, 0), arrowup: () => go(0, -1), arrowdown: () => go(0, 1),
  }
  // ... and keeps Ctrl S and its like, which the sheet has no use for. The window hears a key before JupyterLab's document.
  window.addEventListener('keydown', event => {
    if (event.target !== canvas) return
    canvas.toggleAttribute('data-lm-suppress-shortcuts', Boolean(meaning(event)) || !(event.ctrlKey || event.metaKey))
  }, { signal, capture: true })
  canvas.addEventListener('keydown', event => {
    const act = acts[meaning(event)]
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }, { signal })
  canvas.addEventListener('pointerdown', () => dot.remove(), { signal })
  canvas.addEventListener('blur', () => { dot.remove(); drawing.end() }, { signal })
}

/** The buttons and the pen's width, which know what they can do just now. */
function followTools(element, drawing, signal) {
  const find = name => element.querySelector(`[data-do=${name}]`)
  const slider = element.querySelector('input')
  const refresh = () => {
    find('undo').ariaDisabled = String(!drawing.canUndo)            // not `disabled`: that would drop the focus
    find('redo').ariaDisabled = String(!drawing.canRedo)
    find('clear').ariaDisabled = String(drawing.blank)
    slider.value = drawing.pen
    element.style.setProperty('--mc-pen', drawing.pen)
  }
  for (const name of ['undo', 'redo', 'clear']) find(name).addEventListener('click', () => drawing[name](), { signal })
  slider.addEventListener('input', () => { drawing.pen = Number(slider.value) }, { signal })
  for (const name of ['ink', 'step', 'pen']) drawing.addEventListener(name, refresh, { signal })
  refresh()
}
