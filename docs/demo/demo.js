// The pad on the first page. Nothing but this, the drawing surface and the bars is fetched before somebody draws.

import { mountPad } from './draw.js'
import { mountResult } from './result.js'
import { prepare } from './prepare.js'
import { loadNetwork, toGrey } from './network.js'

const place = document.getElementById('demo')
const still = place.querySelector('.demo-still')
const EMPTY = { digit: null, status: 'blank', message: 'Draw a digit: the network is fetched with your first stroke.', image: new Uint8Array(784) }

function start() {
  const stage = document.createElement('div')
  stage.className = 'demo-stage'
  still.replaceWith(stage)
  const { drawing } = mountPad(stage)
  const result = mountResult(stage)
  let network = null        // a promise, from the first stroke on
  let reading = false
  let stale = false

  async function look() {
    stale = true
    if (reading) return
    reading = true
    while (stale) {
      stale = false
      await show()
      await new Promise(requestAnimationFrame)              // what was drawn meanwhile is one more frame, not many
    }
    reading = false
  }

  async function show() {
    const frame = drawing.frame()
    if (drawing.blank) return result.show(EMPTY)
    const first = network === null
    network ??= loadNetwork()
    if (first) {
      result.show({ digit: null, status: 'blank', image: toGrey(prepare(frame).image) })
      result.wait(`Fetching the network, ${place.dataset.megabytes} MB …`)
    }
    try { result.show(await (await network)(frame)) } catch (error) {
      network = null                                        // the next stroke tries again
      result.show({ error: sentence(error) })
    }
  }

  drawing.addEventListener('ink', look)
  result.show(EMPTY)
}

/** What went wrong, for people. */
function sentence({ message }) {
  return /WebAssembly, which/.test(message) ? message : `The network did not arrive (${message}). Draw on to try again, or reload the page.`
}

start()
