// Paints a label map, and draws its photo. Nothing is loaded from another machine.
import * as ort from "./ort/ort.wasm.min.mjs";
import { metadata } from "./metadata.js";

ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send

const element = (id) => document.getElementById(id);
const MODEL = new URLSearchParams(location.search).get("model") ?? "street.onnx";

async function begin() {
  const answer = await fetch(MODEL);
  if (!answer.ok) throw new Error(`${MODEL}: ${answer.status}. Put a file of keras-semisis export there, or name one: ?model=FILE`);
  const file = new Uint8Array(await answer.arrayBuffer());
  const told = metadata(file);
  if (told.part !== "generator") throw new Error(`${MODEL}: a generator of keras-semisis export is expected.`);
  const inputs = JSON.parse(told.inputs);
  const session = await ort.InferenceSession.create(file);
  return {
    session,
    size: inputs.label_map.shape.slice(1),
    channels: inputs.noise?.shape[1] ?? 0,
    names: JSON.parse(told.class_names),
    palette: JSON.parse(told.palette),
    batch: JSON.parse(told.batch_size) ?? 1,
  };
}

// N(0, 1) of a seed: mulberry32, Box-Muller. On the page, so that others can draw the same
function noise(seed, count) {
  let state = seed + 1;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

function show(canvas, [height, width], colorAt) {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data.set([...colorAt(i), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function run({ session, size, channels, names, palette, batch }) {
  const [height, width] = size;
  const labels = new Int32Array(batch * height * width);
  let chosen = names.length > 1 ? 1 : 0;
  let [drawing, again] = [false, false];

  for (const id of ["label_map", "photo"]) Object.assign(element(id), { width, height });

  async function draw() {
    show(element("label_map"), size, (i) => palette[labels[i]]);
    again = true;
    if (drawing) return; // of strokes that come meanwhile the last is drawn
    drawing = true;
    try {
      while (again) {
        again = false;
        const began = performance.now();
        const feeds = { label_map: new ort.Tensor("int32", labels.slice(), [batch, height, width]) };
        if (channels) feeds.noise = new ort.Tensor("float32", noise(Number(element("seed").value), batch * channels), [batch, channels]);
        const { photo } = await session.run(feeds);
        show(element("photo"), size, (i) => photo.data.subarray(3 * i, 3 * i + 3));
        element("message").textContent = `${MODEL}: ${Math.round(performance.now() - began)} ms`;
      }
    } catch (error) {
      element("message").textContent = String(error);
    } finally {
      drawing = false;
    }
  }

  const buttons = names.map((name, id) => {
    const [red, green, blue] = palette[id];
    const button = document.createElement("button");
    button.textContent = name;
    button.style.background = `rgb(${palette[id]})`;
    button.style.color = 2 * red + 5 * green + blue > 1024 ? "black" : "white";
    button.onclick = () => choose(id);
    return button;
  });
  function choose(id) {
    chosen = id;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === id));
  }
  element("classes").append(...buttons);
  choose(chosen);

  function paint(event) {
    const box = element("label_map").getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const radius = Number(element("size").value);
    for (let y = Math.max(0, row - radius); y <= Math.min(height - 1, row + radius); y++)
      for (let x = Math.max(0, column - radius); x <= Math.min(width - 1, column + radius); x++)
        if ((y - row) ** 2 + (x - column) ** 2 <= radius ** 2) labels[y * width + x] = chosen;
    draw();
  }
  element("label_map").onpointerdown = (event) => {
    event.target.setPointerCapture(event.pointerId);
    paint(event);
  };
  element("label_map").onpointermove = (event) => event.buttons && paint(event);
  element("seed").oninput = draw;
  return draw();
}

window.noise = noise;
begin().then(run).catch((error) => (element("message").textContent = String(error)));
