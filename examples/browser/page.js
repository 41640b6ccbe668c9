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
  const known = JSON.parse(told.class_names) !== null;
  const ids = [...Array(JSON.parse(told.num_classes) ?? 0).keys()];
  if (!known && !ids.length) throw new Error(`${MODEL}: the file does not say how many classes there are. Export a model that has a label space.`);
  const session = await ort.InferenceSession.create(file);
  return {
    session,
    size: inputs.label_map.shape.slice(1),
    channels: inputs.noise?.shape[1] ?? 0,
    hasEdges: "edges" in inputs,
    names: known ? JSON.parse(told.class_names) : ids.map(String),
    palette: known ? JSON.parse(told.palette) : ids.map(color),
    batch: JSON.parse(told.batch_size) ?? 1,
  };
}

// of a class of which nobody has said one: that of PASCAL VOC, as in distinct_colors.py
function color(id) {
  const channel = (first) => [...Array(8).keys()].reduce((sum, bit) => sum + (((id >> (3 * bit + first)) & 1) << (7 - bit)), 0);
  return [channel(0), channel(1), channel(2)];
}

// 1 where the pixel to the left, to the right, above or below is of another class, as instance_edges does
function edges(labels, [height, width]) {
  return Float32Array.from(labels, (label, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const differs = (there, step) => there && labels[i + step] !== label;
    return differs(column > 0, -1) || differs(column < width - 1, 1) || differs(row > 0, -width) || differs(row < height - 1, width);
  });
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

function run({ session, size, channels, hasEdges, names, palette, batch }) {
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
        if (hasEdges) feeds.edges = new ort.Tensor("float32", edges(labels, size), [batch, height, width, 1]);
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
