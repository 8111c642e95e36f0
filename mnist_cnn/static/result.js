// What the network says: the digit, how sure it is, ten bars, and the 28x28 picture it was shown.
// One plain ES module for the notebook widget, the web page and the docs.
//
//     import { mountResult } from './result.js'
//     const result = mountResult(document.querySelector('#result'))
//     result.show({ digit: 7, confidence: 0.98, probabilities: [...], status: 'ok', message: 'This is a 7.' })

const QUIET_MS = 700          // a screen reader is told once the answer has stood still this long
const DIGITS = [...'0123456789']

const RESULT = `
  <div class="mc-head">
    <div class="mc-digit" aria-hidden="true"></div>
    <div class="mc-says" aria-hidden="true"><div class="mc-confidence"></div><div class="mc-message"></div></div>
    <figure class="mc-seen"><canvas width="28" height="28" role="img" aria-label="The 28 by 28 picture that the network sees"></canvas>
      <figcaption>what it sees</figcaption></figure>
  </div>
  <ol class="mc-bars" aria-label="Probability of each digit">
    ${DIGITS.map(digit => `<li><span class="mc-value"></span><span class="mc-track"><span class="mc-fill"></span></span><b>${digit}</b></li>`).join('')}
  </ol>
  <p class="mc-live" aria-live="polite"></p>`

const percent = p => `${(100 * p).toFixed(p > 0.9995 || p < 0.0995 ? 0 : 1)}%`

/** A sentence for people who listen instead of looking. */
export function spoken({ digit, confidence, status, message, error }) {
  if (error) return error
  const sure = status === 'blank' || digit === null || digit === undefined ? '' : ` ${Math.round(100 * confidence)} percent sure.`
  return message + sure
}

/** Paint grey bytes (an array, a buffer or a DataView) on a canvas of `width` x `height` pixels. */
export function paintGrey(canvas, bytes, width = 28, height = 28) {
  const grey = bytes.buffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes)
  const picture = new ImageData(width, height)
  grey.forEach((value, i) => picture.data.set([value, value, value, 255], 4 * i))
  canvas.width = width
  canvas.height = height
  canvas.getContext('2d').putImageData(picture, 0, 0)
}

/**
 * Put the display of one answer into `parent`.
 *
 * An answer is what `POST /predict` gives: `digit`, `confidence`, `probabilities`, `status`, `message`,
 * or an `error` alone; and `image`, the 784 grey bytes that the network saw, where they are at hand.
 * @param {Element} parent where it goes
 * @param {{speaks?: boolean}} options false where something else tells screen readers, so that they hear one voice
 * @returns {{element: Element, show: (answer: object) => void, wait: (sentence: string) => void, destroy: () => void}}
 */
export function mountResult(parent, { speaks = true } = {}) {
  const element = document.createElement('div')
  element.className = 'mc-result'
  element.innerHTML = RESULT
  parent.append(element)
  const find = name => element.querySelector(`.mc-${name}`)
  const bars = [...find('bars').children]
  const live = find('live')
  let timer = 0

  function show(answer) {
    const { digit = null, confidence = 0, probabilities = [], status = 'error', message = '', error = '', image } = answer
    element.dataset.status = error ? 'error' : status
    find('digit').textContent = digit ?? (status === 'blank' ? '' : '?')
    find('confidence').textContent = digit === null ? '' : percent(confidence)
    find('message').textContent = error || message
    bars.forEach((bar, d) => showBar(bar, probabilities[d] ?? 0, d === digit))
    if (image) paintGrey(find('seen').querySelector('canvas'), image)
    say(spoken({ digit, confidence, status, message, error }))
  }

  function say(sentence) {
    if (!speaks) return
    clearTimeout(timer)
    timer = setTimeout(() => { if (live.textContent !== sentence) live.textContent = sentence }, QUIET_MS)
  }

  function wait(sentence) {
    element.dataset.status = 'waiting'
    find('message').textContent = sentence
  }

  return { element, show, wait, destroy() { clearTimeout(timer); element.remove() } }
}

function showBar(bar, p, best) {
  bar.classList.toggle('mc-best', best)
  bar.querySelector('.mc-fill').style.transform = `scaleY(${p})`
  bar.querySelector('.mc-value').textContent = p >= 0.005 ? `${Math.round(100 * p)}` : ''
}
