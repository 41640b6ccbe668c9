"""examples/browser: a generator draws in a browser what it draws here, and follows what is painted."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.exports.test_exports import SIZE, gan, onnx_is_there  # noqa: F401  # a fixture

playwright = pytest.importorskip("playwright.sync_api")
PAGE = ROOT / "examples" / "browser"
# the folder `dist` of the npm package onnxruntime-web
RUNTIME = Path(os.environ.get("ONNXRUNTIME_WEB", "nowhere"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.docs,
    onnx_is_there,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(not RUNTIME.is_dir(), reason="ONNXRUNTIME_WEB does not name the folder dist of onnxruntime-web"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(gan, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("page")
    for file in PAGE.iterdir():
        shutil.copy(file, folder)
    (folder / "ort").mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (folder / "ort" / name).symlink_to(RUNTIME / name)
    gan.export(folder / "street.onnx")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(address):
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page, problems = browser.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((address, "data:")) else problems.append(request.url))
        yield page
        assert not problems
        browser.close()


def pixels(page, canvas):
    """(height, width, 3) of a canvas."""
    data = page.evaluate(
        """id => {
            const canvas = document.getElementById(id);
            return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
        }""",
        canvas,
    )
    return np.array(data, "uint8").reshape(*SIZE, 4)[..., :3]


def drawn(page):
    page.wait_for_function("/ ms$|Error/.test(document.getElementById('message').textContent)")
    return pixels(page, "photo")


def test_a_page_draws_what_the_model_draws_and_follows_the_brush(gan, page, address):  # noqa: F811
    page.goto(address)
    first = drawn(page)
    assert page.inner_text("#message").startswith("street.onnx: ")
    assert page.locator("#classes button").all_inner_texts() == ["sky", "road", "tree", "car", "void"]
    # with the page's noise
    noise = page.evaluate("count => [...window.noise(0, count)]", gan.noise_channels)
    assert len(noise) == gan.noise_channels and np.ptp(noise) > 0
    images = gan.ema_generator.predict([np.zeros((1, *SIZE), "int32"), np.array([noise], "float32")], verbose=0)
    assert np.abs((images[0] + 1) * 127.5 - first).max() <= 1

    page.get_by_role("button", name="tree").click()
    page.locator("#label_map").click(position={"x": 40, "y": 40})
    page.wait_for_timeout(200)
    second = drawn(page)
    painted = (pixels(page, "label_map") == (2, 0, 9)).all(-1)
    assert 9 < painted.sum() < 60 and np.abs(second.astype(int) - first).max() > 10
    page.locator("#seed").fill("3")
    page.wait_for_timeout(200)
    assert np.abs(drawn(page).astype(int) - second).max() > 10

    page.goto(f"{address}?model=nowhere.onnx")
    page.wait_for_function("document.getElementById('message').textContent.includes('nowhere.onnx: 404')")
