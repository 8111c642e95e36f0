// The web page: a drawing that is read while it grows, and pictures that are dropped, pasted, chosen or taken.

import { mountPad } from './draw.js'
import { mountResult, paintGrey } from './result.js'

const TOO_LARGE = 9 * 2 ** 20     // bytes; the server takes 10 MB, wrapping included
const REDUCED = 2000              // pixels along the longer side of a picture that was made smaller for that
const AT_ONCE = 2                 // pictures that are sent at the same time
const find = id => document.getElementById(id)
const percent = p => `${Math.round(100 * p)} %`
const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds))

// --- asking the server ---------------------------------------------------------------------------------

/** Send one picture; gives its entry, or `{ error }`. Tries again where the server is busy. */
async function ask(picture, name) {
  const body = new FormData()
  body.append('file', picture, name)
  for (let turn = 0; ; turn++) {
    let response, answer
    try {
      response = await fetch('predict?all=1&image=1', { method: 'POST', body })
      answer = await response.json()
    } catch { return { error: 'The server does not answer. Is it still running?' } }
    if (response.ok) {
      tellNetwork(answer.model)
      return told(answer.predictions[0])
    }
    if (response.status !== 503 || turn === 4) return { error: sentence(answer.detail) }
    await wait(Number(response.headers.get('Retry-After') ?? 1) + turn * Math.random())
  }
}

const sentence = words => words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? '' : '.')

/** The entry with a sentence for each status: the library has none where all is well. */
function told(entry) {
  if (entry.error) return { error: sentence(entry.error) }
  const message = entry.status === 'ok' ? `This is a ${entry.digit}.` : entry.message
  return { ...entry, message, digits: entry.digits?.map(told) }
}

function tellNetwork({ architecture, accuracy, sha256, file }) {
  const right = accuracy === null ? '' : `, which reads ${(100 * accuracy).toFixed(2)} % of MNIST's test images right`
  find('network').textContent = `${architecture.name}${right}. Weights: ${file}, ${sha256.slice(0, 12)}.`
}

// --- the drawing ---------------------------------------------------------------------------------------

const EMPTY = { digit: null, status: 'blank', message: 'Nothing is drawn yet.' }

/** The pad, and beside it the answer to what is on it: one question at a time, always about the newest ink. */
function startDrawing(parent) {
  const { drawing } = mountPad(parent)
  const result = mountResult(parent)
  let asking = false
  let stale = false
  const look = async () => {
    stale = true
    if (asking) return
    asking = true
    while (stale) {
      stale = false
      const picture = drawing.blank ? null : await png(drawing.frame(112), 112)
      const answer = picture ? single(await ask(picture, 'drawing.png')) : { ...EMPTY, image: new Uint8Array(784) }
      result.show(drawing.blank ? { ...EMPTY, image: new Uint8Array(784) } : answer)
    }
    asking = false
  }
  drawing.addEventListener('ink', look)
  look()
}

/** What the drawing says of several digits: there is no cutting it to one. */
function single(answer) {
  if (answer.status !== 'several') return answer
  return { ...answer, message: `There are ${answer.digits.length} digits: ${answer.digits.map(one => one.digit).join(' ')}.` }
}

async function png(bytes, side) {
  const canvas = document.createElement('canvas')
  paintGrey(canvas, bytes, side, side)
  return new Promise(done => canvas.toBlob(done, 'image/png'))
}

// --- pictures ------------------------------------------------------------------------------------------

const queue = []
let running = 0
let unheard = []      // sentences that a screen reader has still to be told

/** Put a card for each file into the gallery, and read them. */
function take(files) {
  find('notice').textContent = ''
  const cards = [...files].map(file => new Card(file))
  find('gallery').prepend(...cards.map(card => card.element))
  showGallery()
  queue.push(...cards)
  for (let spare = Math.min(AT_ONCE - running, queue.length); spare > 0; spare--) work()
  find('gallery').scrollIntoView({ block: 'nearest' })
}

async function work() {
  running += 1
  while (queue.length) await queue.shift().read()
  running -= 1
  if (running) return
  find('live').textContent = unheard.join(' ')
  unheard = []
}

function showGallery() {
  const empty = !find('gallery').childElementCount
  find('gallery').hidden = find('clear').hidden = empty
}

/** One picture: its name, itself with boxes around the digits, and the answer. */
class Card {
  constructor(file) {
    this.file = file
    this.element = document.createElement('article')
    this.element.className = 'card'
    this.element.innerHTML = '<h3></h3><div class="picture" hidden><img alt=""><svg aria-hidden="true"></svg></div><div class="answer"><p>Reading …</p></div>'
    const title = this.element.querySelector('h3')
    title.textContent = title.title = file.name
    this.element.dataset.state = 'waiting'
    this.answer = this.element.querySelector('.answer')
  }

  async read() {
    const picture = await slim(this.file)
    await this.showPicture(picture)
    const answer = await ask(picture, this.file.name)
    this.element.dataset.state = answer.error ? 'error' : 'read'
    this.answer.replaceChildren()
    if (answer.status === 'several' && answer.digits.length > 1) this.showSeveral(answer)
    else this.showOne(answer)
    unheard.push(`${this.file.name}: ${this.spoken(answer)}`)
  }

  async showPicture(picture) {
    const image = this.element.querySelector('img')
    image.alt = `The picture ${this.file.name}`
    image.src = URL.createObjectURL(picture)
    try { await image.decode() } catch { return }           // the server will say what is wrong with it
    const frame = this.element.querySelector('.picture')
    frame.querySelector('svg').setAttribute('viewBox', `0 0 ${image.naturalWidth} ${image.naturalHeight}`)
    frame.hidden = false
  }

  showOne(answer) {
    mountResult(this.answer, { speaks: false }).show(answer)
    if (answer.error) this.answer.querySelectorAll('.mc-bars, .mc-seen').forEach(node => node.remove())
    else this.drawBoxes(answer.digits, 0)
  }

  /** The number, a button for each of its digits, and the answer to the one that is chosen. */
  showSeveral({ digits }) {
    this.answer.innerHTML = '<p class="number"></p><div class="digits" role="group" aria-label="Digits, in reading order"></div>'
    this.answer.querySelector('.number').textContent = digits.map(one => one.digit).join('')
    const result = mountResult(this.answer)
    const buttons = digits.map((one, i) => digitButton(one, () => choose(i)))
    this.answer.querySelector('.digits').append(...buttons)
    const choose = chosen => {
      buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === chosen)))
      result.show(digits[chosen])
      this.drawBoxes(digits, chosen)
    }
    choose(0)
  }

  drawBoxes(digits, chosen) {
    this.element.querySelector('svg').replaceChildren(...digits.map(({ box: [x, y, width, height] }, i) => {
      const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
      for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value)
      rect.setAttribute('class', i === chosen && digits.length > 1 ? 'chosen' : '')
      return rect
    }))
  }

  spoken({ error, status, digits, digit, confidence, message }) {
    if (error) return error
    if (status === 'several') return `${digits.length} digits: ${digits.map(one => one.digit).join(' ')}.`
    return digit === null ? message : `${message} ${status === 'ok' ? '' : `Perhaps a ${digit}. `}${percent(confidence)} sure.`
  }
}

function digitButton({ digit, confidence, status, image }, choose) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = status === 'ok' ? 'digit' : 'digit doubtful'
  button.innerHTML = '<canvas aria-hidden="true"></canvas><b></b><small></small>'
  paintGrey(button.querySelector('canvas'), image)
  button.querySelector('b').textContent = digit
  button.querySelector('small').textContent = percent(confidence)
  button.addEventListener('click', choose)
  return button
}

/** A picture that the server would find too large, smaller; any other as it is. */
async function slim(file) {
  if (file.size <= TOO_LARGE) return file
  try {
    const bitmap = await createImageBitmap(file)
    const scale = Math.min(1, REDUCED / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    return await new Promise(done => canvas.toBlob(done, 'image/jpeg', 0.92))
  } catch { return file }                                   // the server will say what is wrong with it
}

// --- the ways in ---------------------------------------------------------------------------------------

function say(words) { find('notice').textContent = words }

for (const id of ['files', 'camera']) {
  find(id).addEventListener('change', event => {
    take(event.target.files)
    event.target.value = ''                                 // so that the same file can be chosen again
  })
}

document.addEventListener('paste', event => {
  const files = [...event.clipboardData.files]
  if (files.length) take(files)
  else say('There is no picture on the clipboard.')
})

let depth = 0                                               // dragging over a child leaves its parent
const veil = change => {
  depth = change ? Math.max(0, depth + change) : 0
  document.body.classList.toggle('dropping', depth > 0)
}
document.addEventListener('dragenter', () => veil(1))
document.addEventListener('dragleave', () => veil(-1))
document.addEventListener('dragover', event => event.preventDefault())
document.addEventListener('drop', event => {
  event.preventDefault()
  veil(0)
  if (event.dataTransfer.files.length) take(event.dataTransfer.files)
  else say('That is not a file. Save the picture first, then drop the file.')
})

find('clear').addEventListener('click', () => {
  for (const card of [...find('gallery').children]) {
    URL.revokeObjectURL(card.querySelector('img').src)
    card.remove()
  }
  queue.length = 0
  say('')
  showGallery()
  find('files').focus()                                     // the button that had the focus is gone
})

startDrawing(find('drawing'))
fetch('healthz').then(response => response.json()).then(({ model }) => tellNetwork(model)).catch(() => {})
