// The notebook widget: draw.js and result.js joined to a kernel.
// Python puts draw.js, result.js and this file into one string, because the page gets a widget's module as text
// and a text has no address that `import './draw.js'` could start from.

const GIVE_UP_MS = 10_000       // an answer this late is lost with a connection: the next ink asks again
const SLOW_MS = 600             // after this the widget says that it waits
// Jupyter's server leaves Nagle's algorithm on: a short answer after the kernel's short 'busy' stays with the server until
// the page's machine confirms the 'busy', which it puts off by 40 ms. More than a packet's worth goes at once. On one machine
// a packet is 64 KiB and costs nothing; elsewhere it would cost, and there are proxies between, so nothing is asked for.
const FILL = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname) ? 66_000 : 0

/** One drawing and one line to the kernel for each widget, however many views show it. */
class Line extends EventTarget {
  drawing = new Drawing()
  latency = null                // ms from the oldest ink in the last answered frame to its answer
  #page = Math.random().toString(36).slice(2)
  #model
  #count = 0
  #inkAt = null                 // when the oldest ink was drawn that no frame has shown
  #sent = null                  // the one frame that is under way: { id, inkAt, at }
  #slow = 0

  constructor(model, signal) {
    super()
    this.#model = model
    this.drawing.load(model.get('strokes'))
    this.drawing.pen = model.get('pen')
    const on = (name, act) => {
      model.on(name, act)
      signal.addEventListener('abort', () => model.off(name, act))
    }
    on('change:answer', () => this.#answered())
    on('change:strokes', () => this.#restore())
    on('change:pen', () => { if (model.get('pen') !== this.drawing.pen) this.drawing.pen = model.get('pen') })
    this.drawing.addEventListener('ink', () => this.#ink(), { signal })
    this.drawing.addEventListener('step', () => this.#keep(), { signal })
    this.drawing.addEventListener('pen', () => this.#set('pen', this.drawing.pen), { signal })
    signal.addEventListener('abort', () => clearTimeout(this.#slow))
    if (!this.drawing.blank && model.get('answer').status === 'blank') this.#ink()    // strokes that nobody has read yet
  }

  #ink() {
    this.#inkAt ??= performance.now()
    this.#send()
  }

  /** Ask about the drawing as it is now, unless a frame is under way: its answer will call again. */
  #send() {
    const now = performance.now()
    if (this.#inkAt === null || (this.#sent && now - this.#sent.at < GIVE_UP_MS)) return
    this.#sent = { id: `${this.#page}-${++this.#count}`, inkAt: this.#inkAt, at: now }
    this.#inkAt = null
    this.#model.send({ frame: this.#sent.id, fill: FILL }, undefined, [this.drawing.frame().buffer])
    clearTimeout(this.#slow)
    this.#slow = setTimeout(() => this.dispatchEvent(new Event('slow')), SLOW_MS)
  }

  #answered() {
    const mine = this.#model.get('answer').frame === this.#sent?.id
    this.latency = mine ? performance.now() - this.#sent.inkAt : null
    if (mine) {
      clearTimeout(this.#slow)
      this.#sent = null
    }
    this.dispatchEvent(new Event('answer'))
    this.#send()
  }

  /** Give the kernel the strokes, which a reload or another page gets back. */
  #keep() { this.#set('strokes', this.drawing.strokes) }

  #restore() {
    const strokes = this.#model.get('strokes')
    if (JSON.stringify(strokes) !== JSON.stringify(this.drawing.strokes)) this.drawing.load(strokes)
  }

  #set(name, value) {
    if (JSON.stringify(this.#model.get(name)) === JSON.stringify(value)) return
    this.#model.set(name, structuredClone(value))
    this.#model.save_changes()
  }
}

/** Paint one layer's maps side by side, as many in a row as fill the panel. */
function paintMaps(canvas, { count, height, width, maps }) {
  const columns = 16, gap = 1
  const rows = Math.ceil(count / columns)
  const wide = columns * (width + gap) - gap
  const grey = new Uint8Array(wide * (rows * (height + gap) - gap))
  const bytes = new Uint8Array(maps.buffer, maps.byteOffset, maps.byteLength)
  for (let i = 0; i < bytes.length; i++) {
    const map = Math.floor(i / (width * height)), y = Math.floor(i / width) % height, x = i % width
    grey[(Math.floor(map / columns) * (height + gap) + y) * wide + (map % columns) * (width + gap) + x] = bytes[i]
  }
  paintGrey(canvas, grey, wide, grey.length / wide)
}

/** The optional panel with what both convolutions make of the drawing. */
function mountLayers(parent, model, signal) {
  const panel = document.createElement('details')
  panel.className = 'mc-layers'
  panel.innerHTML = '<summary data-lm-suppress-shortcuts="true">Inside the network</summary><div class="mc-maps"></div>'
  panel.open = model.get('layers')
  panel.addEventListener('toggle', () => {
    if (model.get('layers') === panel.open) return
    model.set('layers', panel.open)
    model.save_changes()
  }, { signal })
  parent.append(panel)
  const figures = new Map()
  const figure = name => {
    if (!figures.has(name)) {
      const made = document.createElement('figure')
      made.innerHTML = `<canvas role="img"></canvas><figcaption></figcaption>`
      panel.querySelector('.mc-maps').append(made)
      figures.set(name, made)
    }
    return figures.get(name)
  }
  const opened = () => { panel.open = model.get('layers') }
  model.on('change:layers', opened)
  signal.addEventListener('abort', () => model.off('change:layers', opened))
  return layers => layers.forEach(layer => {
    const made = figure(layer.name)
    const text = `${layer.name}: ${layer.count} maps of ${layer.height}×${layer.width}`
    made.querySelector('figcaption').textContent = text
    made.querySelector('canvas').setAttribute('aria-label', text)
    paintMaps(made.querySelector('canvas'), layer)
  })
}

export default () => {
  let line
  return {
    initialize({ model }) {
      const ending = new AbortController()
      line = new Line(model, ending.signal)
      return () => ending.abort()
    },
    render({ model, el }) {
      const ending = new AbortController()
      const root = document.createElement('div')
      root.className = 'mc mc-widget'
      el.append(root)
      const pad = mountPad(root, { drawing: line.drawing })
      const result = mountResult(root)
      const showLayers = mountLayers(root, model, ending.signal)
      const show = () => {
        const answer = model.get('answer')
        result.show(answer)
        showLayers(answer.layers ?? [])
        root.dispatchEvent(new CustomEvent('digit-answer', { bubbles: true, detail: { milliseconds: line.latency } }))
      }
      line.addEventListener('answer', show, { signal: ending.signal })
      line.addEventListener('slow', () => result.wait('Waiting for Python, which is busy or gone …'),
        { signal: ending.signal })
      show()
      return () => { ending.abort(); pad.destroy(); result.destroy() }
    },
  }
}
