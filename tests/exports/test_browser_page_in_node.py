"""examples/browser without a browser: what the page feeds a file, where Node.js runs it over a document that shows nothing."""

import json
import shutil
import subprocess

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.data.labels.distinct_colors import distinct_colors
from tests.conftest import ROOT
from tests.exports.test_exports import CLASSES, NOISE, SPACE, differ, onnx_is_there, session, shaken

PAGE = ROOT / "examples" / "browser"
NODE = shutil.which("node")
pytestmark = [onnx_is_there, pytest.mark.skipif(NODE is None, reason="there is no Node.js")]
RUNTIME = """
export const env = { wasm: {} };
export class Tensor {
  constructor(type, data, dims) { Object.assign(this, { type, data: [...data], dims }); }
}
const run = async (feeds) => {
  globalThis.fed = feeds;
  return { photo: { data: new Uint8Array(3 * feeds.label_map.data.length) } };
};
export const InferenceSession = { create: async () => ({ run }) };
"""
# paints a spot of class 2
DRIVER = """
import { readFileSync } from "node:fs";
const made = () => ({
  style: {}, value: "2", append(...children) { this.children = children; }, setAttribute() {},
  getContext: () => ({ putImageData() {} }), setPointerCapture() {},
  getBoundingClientRect() { return { left: 0, top: 0, width: this.width, height: this.height }; },
});
const elements = {};
const element = (id) => (elements[id] ??= made());
globalThis.document = { getElementById: element, createElement: made };
globalThis.window = {};
globalThis.location = { search: "?model=photo.onnx" };
globalThis.fetch = async (name) => ({ ok: true, arrayBuffer: async () => readFileSync(name) });
globalThis.ImageData = class { constructor(width, height) { this.data = new Uint8ClampedArray(4 * width * height); } };
const drawn = async () => {
  while (!/ ms$|Error/.test(element("message").textContent)) await new Promise((done) => setTimeout(done, 5));
};
await import("./page.js");
await drawn();
if (globalThis.fed) {
  element("classes").children[2].onclick();
  element("message").textContent = "";
  element("label_map").onpointerdown({ target: element("label_map"), pointerId: 1, clientX: 4, clientY: 9 });
  await drawn();
}
const buttons = (element("classes").children ?? []).map((button) => [button.textContent, button.style.background]);
console.log(JSON.stringify({ message: element("message").textContent, buttons, fed: globalThis.fed }));
"""


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_what_is_painted_is_fed_whatever_the_model_reads(edges, named, tmp_path):
    keras.utils.set_random_seed(0)
    generator = models.spade_generator(
        CLASSES, (32, 32), base_channels=1, hidden_channels=4, latent_channels=NOISE, instance_edges=edges
    )
    model = ks.gans.Sampler(shaken(generator, 1), label_space=SPACE if named else None)
    shutil.copytree(PAGE, tmp_path, dirs_exist_ok=True)
    for name, text in (("ort/ort.wasm.min.mjs", RUNTIME), ("driver.js", DRIVER), ("package.json", '{"type": "module"}')):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    model.export(tmp_path / "photo.onnx", batch_size=2)
    done = subprocess.run([NODE, "driver.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found["message"].endswith(" ms"), found["message"]
    names, colors = (SPACE.class_names, SPACE.palette) if named else (map(str, range(CLASSES)), distinct_colors(CLASSES))
    assert found["buttons"] == [[name, "rgb({},{},{})".format(*color)] for name, color in zip(names, colors, strict=True)]

    fed = {name: np.array(of["data"], of["type"]).reshape(of["dims"]) for name, of in found["fed"].items()}
    assert fed["label_map"][0, 9, 4] == 2 and (fed["label_map"][0] == 2).sum() == 13
    (photos,) = session(tmp_path / "photo.onnx").run(["photo"], fed)  # which asks for every input
    how = {"instances": fed["label_map"]} if edges else {}
    assert differ(photos, model.generate(fed["label_map"], noise=fed["noise"], **how)) <= 1
    if edges:
        assert 13 < fed["edges"][0].sum() < 30 and not fed["edges"][1].any()
        plain = model.generate(fed["label_map"], noise=fed["noise"], instances=np.zeros_like(fed["label_map"]))
        assert differ(photos[:1], plain[:1]) > 1
