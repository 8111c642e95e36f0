// The network in the browser: its weights as ONNX, run by onnxruntime-web, and what its answer is worth.

import { prepare } from './prepare.js'

/** Fetch the runtime and the weights; gives a function from grey bytes to an answer for result.js, and the image as it was read. */
export async function loadNetwork(folder = new URL('./', import.meta.url)) {
  if (typeof WebAssembly !== 'object') throw new Error('This browser has no WebAssembly, which runs the network. Any browser since 2021 has it.')
  const [ort, facts, weights] = await Promise.all([import(new URL('ort.wasm.min.mjs', folder)), get('model.json', folder, 'json'), get('model.onnx', folder, 'arrayBuffer')])
  ort.env.wasm.wasmPaths = folder.href
  ort.env.wasm.numThreads = 1                                        // more would need headers that few web servers send
  const session = await ort.InferenceSession.create(weights, { executionProviders: ['wasm'] })
  return async grey => {
    const { image, count, box } = prepare(grey)
    const { logits } = await session.run({ images: new ort.Tensor('float32', image, [1, 1, 28, 28]) })
    return { ...judge(Array.from(logits.data), count, facts.calibration), image: toGrey(image), prepared: image, box }
  }
}

async function get(name, folder, kind) {
  const response = await fetch(new URL(name, folder))
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`)
  return response[kind]()
}

/** What `Predictor` makes of ten logits: the digit, calibrated probabilities, and a status. */
export function judge(logits, count, { temperature = 1, standout = 0, sure = 0 }) {
  const highest = Math.max(...logits)
  const stands = highest - logits.reduce((a, b) => a + b) / logits.length    // how far the best is above the mean of all ten
  const doubt = Math.max(1, standout / Math.max(stands, 1e-6))
  const grown = logits.map(logit => Math.exp((logit - highest) / (temperature * doubt ** 2)))
  const total = grown.reduce((a, b) => a + b)
  const probabilities = grown.map(value => value / total)
  const confidence = Math.max(...probabilities), digit = probabilities.indexOf(confidence)
  if (count === 0) return { digit: null, confidence: 0, probabilities: [], status: 'blank', message: MESSAGES.blank }
  const status = count > 1 ? 'several' : stands < standout ? 'not_a_digit' : confidence < sure ? 'unsure' : 'ok'
  return { digit, confidence, probabilities, status, message: status === 'ok' ? `This is a ${digit}.` : MESSAGES[status] }
}

const MESSAGES = {
  blank: 'Nothing is drawn yet.',
  several: 'There is more than one digit: this is the likeliest.',
  not_a_digit: 'This does not look like a digit.',
  unsure: 'Not sure: write it larger or more clearly.',
}

export const toGrey = image => Uint8Array.from(image, value => Math.round(255 * value))
