import * as api from './api.js'
import { Painting } from './painting.js'

const $ = id => document.getElementById(id)
const [canvas, photo] = [$('painting'), $('photo')]
const tools = [...document.querySelectorAll('[data-tool]')]
const state = { tool: 'brush', label: 0, size: 4, seed: 0, segmented: false, cursor: null, nextExample: 0 }
let model, painting, stroke, wanted, drawing

function say(error) {
  $('message').hidden = !error
  $('message').textContent = error ? error.message : ''
}

const tried = action => async (...given) => {
  try {
    await action(...given)
  } catch (error) {
    say(error)
  }
}

// -- what is seen --------------------------------------------------------------------------------------------------

function show(preview) {
  const context = canvas.getContext('2d')
  const image = context.createImageData(model.width, model.height)
  painting.labels.forEach((label, i) => image.data.set([...model.classes[label].color, 255], 4 * i))
  context.putImageData(image, 0, 0)
  if (preview) {
    context.strokeStyle = `rgb(${model.classes[state.label].color})`
    context.lineWidth = state.size
    context.lineCap = 'round'
    context.beginPath()
    context.moveTo(preview.from.x, preview.from.y)
    context.lineTo(preview.to.x, preview.to.y)
    context.stroke()
  }
  if (state.cursor && document.activeElement === canvas) {
    const { x, y } = state.cursor
    context.fillStyle = '#fff'
    context.fillRect(x - 1, y, 3, 1)
    context.fillRect(x, y - 1, 1, 3)
    context.fillStyle = '#000'
    context.fillRect(x, y, 1, 1)
  }
  $('undo').disabled = !painting.past.length
  $('redo').disabled = !painting.future.length
}

// The newest painting is drawn as soon as the one before is: those in between are left out.
async function draw() {
  wanted = true
  if (drawing) return
  drawing = true
  while (wanted) {
    wanted = false
    const begin = performance.now()
    try {
      const ask = state.segmented ? api.segmentation : api.photos
      await put(photo, await ask(painting.labels, state.seed))
      $('time').textContent = `${Math.round(performance.now() - begin)} ms`
      photo.dataset.drawn = Number(photo.dataset.drawn || 0) + 1
      say(null)
    } catch (error) {
      say(error)
    }
  }
  drawing = false
}

async function put(target, blob, top = 0) {
  const image = await createImageBitmap(blob)
  target.getContext('2d').drawImage(image, 0, top, model.width, model.height, 0, 0, model.width, model.height)
}

function changed() {
  show()
  draw()
}

// -- painting ------------------------------------------------------------------------------------------------------

const label = () => (state.tool === 'eraser' ? null : state.label)

function place(event) {
  const box = canvas.getBoundingClientRect()
  return {
    x: ((event.clientX - box.left) / box.width) * model.width,
    y: ((event.clientY - box.top) / box.height) * model.height,
  }
}

// A pen that presses harder paints more widely.
const sizeOf = event =>
  event.pointerType === 'pen' && event.pressure ? Math.max(1, Math.round(2 * event.pressure * state.size)) : state.size

canvas.addEventListener('pointerdown', event => {
  if (event.button) return
  canvas.setPointerCapture(event.pointerId)
  canvas.focus({ preventScroll: true })
  state.cursor = null
  const at = place(event)
  painting.remember()
  if (state.tool === 'fill') {
    painting.fill(Math.min(at.x, model.width - 1), Math.min(at.y, model.height - 1), state.label)
    painting.forgetIfSame()
    changed()
    return
  }
  stroke = { pointer: event.pointerId, from: at, last: at }
  if (state.tool !== 'line') painting.dab(at.x, at.y, sizeOf(event), label())
  show()
})

canvas.addEventListener('pointermove', event => {
  if (stroke?.pointer !== event.pointerId) return
  const at = place(event)
  if (state.tool === 'line') {
    show({ from: stroke.from, to: at })
  } else {
    painting.line(stroke.last, at, sizeOf(event), label())
    changed()
  }
  stroke.last = at
})

function endStroke(event) {
  if (stroke?.pointer !== event.pointerId) return
  if (state.tool === 'line' && event.type === 'pointerup') painting.line(stroke.from, place(event), state.size, state.label)
  stroke = null
  painting.forgetIfSame()
  changed()
}
canvas.addEventListener('pointerup', endStroke)
canvas.addEventListener('pointercancel', endStroke)
canvas.addEventListener('blur', () => show())

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

canvas.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const at = state.cursor ?? { x: Math.floor(model.width / 2), y: Math.floor(model.height / 2) }
  if (MOVES[event.key]) {
    const step = event.shiftKey ? 8 : 1
    const [x, y] = MOVES[event.key]
    state.cursor = {
      x: Math.min(model.width - 1, Math.max(0, at.x + step * x)),
      y: Math.min(model.height - 1, Math.max(0, at.y + step * y)),
    }
    show()
  } else if (event.key === ' ' || event.key === 'Enter') {
    state.cursor = at
    painting.remember()
    if (state.tool === 'fill') painting.fill(at.x, at.y, state.label)
    else painting.dab(at.x + 0.5, at.y + 0.5, state.size, label())
    painting.forgetIfSame()
    changed()
  } else {
    return
  }
  event.preventDefault()
})

// -- choices -------------------------------------------------------------------------------------------------------

function chooseTool(tool) {
  state.tool = tool
  tools.forEach(button => button.setAttribute('aria-pressed', button.dataset.tool === tool))
}

function chooseClass(id) {
  state.label = id
  for (const button of $('palette').children) {
    const chosen = Number(button.dataset.id) === id
    button.setAttribute('aria-checked', chosen)
    button.tabIndex = chosen ? 0 : -1
  }
  if (state.tool === 'eraser') chooseTool('brush')
}

function chooseSize(size) {
  state.size = Math.min(24, Math.max(1, size))
  $('size').value = $('size-shown').value = state.size
}

function chooseSeed(seed) {
  state.seed = seed
  $('seed').value = $('seed-shown').value = seed
  draw()
}

function makePalette() {
  for (const { id, name, color, ignored } of model.classes) {
    const button = document.createElement('button')
    const patch = document.createElement('i')
    patch.style.background = `rgb(${color})`
    button.dataset.id = id
    button.setAttribute('role', 'radio')
    button.append(patch, ignored ? `${name} (don’t care)` : name)
    button.addEventListener('click', () => chooseClass(id))
    $('palette').append(button)
  }
  $('palette').addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (!step) return
    const next = (state.label + step + model.classes.length) % model.classes.length
    chooseClass(next)
    $('palette').children[next].focus()
    event.preventDefault()
  })
}

function scene(labels) {
  painting.begin(labels)
  changed()
}

function undo() {
  painting.undo()
  changed()
}

function redo() {
  painting.redo()
  changed()
}

tools.forEach(button => button.addEventListener('click', () => chooseTool(button.dataset.tool)))
$('size').addEventListener('input', () => chooseSize(Number($('size').value)))
$('seed').addEventListener('input', () => chooseSeed(Number($('seed').value)))
$('undo').addEventListener('click', undo)
$('redo').addEventListener('click', redo)
$('empty').addEventListener('click', () => scene(new Uint16Array(model.width * model.height).fill(state.label)))
$('example').addEventListener('click', tried(async () => {
  scene(await api.example(state.nextExample))
  state.nextExample = (state.nextExample + 1) % model.examples
}))

$('file').addEventListener('change', tried(async () => {
  const [file] = $('file').files
  $('file').value = ''
  if (file) scene(await api.open(file))
}))

$('segment').addEventListener('click', () => {
  state.segmented = !state.segmented
  $('segment').setAttribute('aria-pressed', state.segmented)
  draw()
})

$('more').addEventListener('click', tried(async () => {
  const [first, count] = [state.seed + 1, 8]
  const blob = await api.photos(painting.labels, first, count)
  $('others').replaceChildren()
  for (let i = 0; i < count; i++) {
    const button = document.createElement('button')
    const small = document.createElement('canvas')
    ;[small.width, small.height] = [model.width, model.height]
    await put(small, blob, i * model.height)
    button.title = `Seed ${first + i}`
    button.setAttribute('aria-label', button.title)
    button.append(small)
    button.addEventListener('click', () => chooseSeed(first + i))
    $('others').append(button)
  }
  $('others').hidden = false
}))

addEventListener('keydown', event => {
  const key = event.key.toLowerCase()
  if ((event.ctrlKey || event.metaKey) && (key === 'z' || key === 'y')) {
    if (key === 'y' || event.shiftKey) redo()
    else undo()
    event.preventDefault()
    return
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const tool = { b: 'brush', l: 'line', f: 'fill', e: 'eraser' }[key]
  if (tool) chooseTool(tool)
  else if (/^[1-9]$/.test(key) && Number(key) <= model.classes.length) chooseClass(Number(key) - 1)
  else if (key === '[') chooseSize(state.size - 1)
  else if (key === ']') chooseSize(state.size + 1)
  else if (key === 's' && model.noise) chooseSeed((state.seed + 1) % 100)
})

// -- files ---------------------------------------------------------------------------------------------------------

function save(blob, name) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

const stamp = () => `painting-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`

$('save-photo').addEventListener('click', tried(async () => save(await api.photos(painting.labels, state.seed), `${stamp()}.png`)))
$('save-labels').addEventListener('click', tried(async () => save(await api.labelMap(painting.labels), `${stamp()}-labels.png`)))
$('save-pair').addEventListener('click', tried(async () => {
  const name = stamp()
  save(await api.pair(painting.labels, state.seed, name), `${name}.zip`)
}))

// -- begin ---------------------------------------------------------------------------------------------------------

tried(async () => {
  model = await api.model()
  document.title = `Paint · ${model.name}`
  $('model').textContent = `${model.name} · ${model.height}×${model.width} · ${model.classes.length} classes`
  for (const each of [canvas, photo]) [each.width, each.height] = [model.width, model.height]
  makePalette()
  chooseClass(0)
  $('example').hidden = !model.examples
  $('segment').hidden = !model.segments
  $('seed-of').hidden = $('more').hidden = !model.noise
  const begin = model.examples ? await api.example(0) : new Uint16Array(model.width * model.height)
  state.nextExample = model.examples > 1 ? 1 : 0
  painting = new Painting(model.width, model.height, begin)
  changed()
})()
