// What the page asks of the program. A label map travels as 16-bit little-endian class ids.

async function ask(path, body) {
  let answer
  try {
    answer = await fetch(path, body === undefined ? {} : { method: 'POST', body })
  } catch {
    throw new Error('The program does not answer. Is it still running?')
  }
  if (answer.ok) return answer
  let text = `The program answered ${answer.status}.`
  try {
    text = (await answer.json()).error
  } catch {
    // an answer without an explanation
  }
  throw new Error(text)
}

const bytesOf = labels => {
  const view = new DataView(new ArrayBuffer(2 * labels.length))
  labels.forEach((label, i) => view.setUint16(2 * i, label, true))
  return view.buffer
}

const labelsOf = buffer => {
  const view = new DataView(buffer)
  return Uint16Array.from({ length: buffer.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true))
}

export const model = async () => (await ask('/api/model')).json()

export const example = async number => labelsOf(await (await ask(`/api/examples/${number}`)).arrayBuffer())

export const open = async file =>
  labelsOf(await (await ask(`/api/open?name=${encodeURIComponent(file.name)}`, file)).arrayBuffer())

export const photos = async (labels, seed, count = 1) =>
  (await ask(`/api/photos?seed=${seed}&count=${count}`, bytesOf(labels))).blob()

export const segmentation = async (labels, seed) => (await ask(`/api/segmentation?seed=${seed}`, bytesOf(labels))).blob()

export const labelMap = async labels => (await ask('/api/label_map', bytesOf(labels))).blob()

export const pair = async (labels, seed, name) => (await ask(`/api/pair?seed=${seed}&name=${name}`, bytesOf(labels))).blob()
