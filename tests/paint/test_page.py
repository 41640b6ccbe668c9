"""The page in a browser: painting changes the photo, undo brings it back, by pointer and by keyboard alone."""

import shutil
import threading
import time

import numpy as np
import pytest

from tests.paint.easels import SCENES, SIZE, easel

playwright = pytest.importorskip("playwright.sync_api")
uvicorn = pytest.importorskip("uvicorn")
server = pytest.importorskip("keras_semisis.paint.server")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def address():
    with server.listening("127.0.0.1", 0) as socket:
        running = uvicorn.Server(uvicorn.Config(server.make_app(easel()), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [socket]})
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/"
        running.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser():
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1200, "height": 800}, accept_downloads=True)
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "blob:")) else problems.append(request.url))
    page.goto(address)
    drawn(page)
    yield page
    assert not problems
    context.close()


def eventually(page, holds):
    """Asserts what becomes true in a while, however busy the machine is."""
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(50)
    assert holds()


def drawn(page):
    """Waits for the first photo."""
    eventually(page, lambda: page.locator("#photo").get_attribute("data-drawn"))


def photo_is(page, expected):
    """Waits until the photo is that one, or as a function of its pixels says."""
    check = expected if callable(expected) else lambda found: np.array_equal(found, expected)
    eventually(page, lambda: check(pixels(page, "photo")))


def pixels(page, name):
    values = page.evaluate(
        f"(() => {{ const c = document.getElementById('{name}');"
        " return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data) })()"
    )
    return np.array(values, "uint8").reshape(*SIZE, 4)[..., :3]


def choose(page, name):
    page.get_by_role("radio", name=name, exact=True).click()


def test_the_first_example_and_its_photo_are_shown(page):
    expected = SCENES.label_space.colorize(SCENES.load_label_map(0))
    np.testing.assert_array_equal(pixels(page, "painting"), expected)
    np.testing.assert_array_equal(pixels(page, "photo"), expected)
    assert page.get_by_role("radio").count() == 11


def test_a_stroke_changes_the_photo_and_undo_brings_it_back(page):
    before = pixels(page, "photo")
    choose(page, "car")
    box = page.locator("#painting").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    stroke = SIZE[0] // 2, slice(SIZE[1] // 4 + 1, SIZE[1] * 3 // 4 - 1)
    photo_is(page, lambda found: (found[stroke] == SCENES.label_space.palette[8]).all())
    photo_is(page, pixels(page, "painting"))
    painted = pixels(page, "photo")
    np.testing.assert_array_equal(painted[:8], before[:8])
    page.get_by_role("button", name="Undo").click()
    photo_is(page, before)
    page.keyboard.press("Control+Shift+Z")
    photo_is(page, painted)


def test_line_fill_and_eraser(page):
    whole = page.locator("#painting")
    box = whole.bounding_box()
    choose(page, "road")
    page.get_by_role("button", name="Empty scene").click()
    choose(page, "sky")
    page.keyboard.press("l")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, middle, steps=3)
    page.mouse.up()
    page.keyboard.press("f")
    choose(page, "building")
    whole.click(position={"x": 5, "y": 5})
    palette = SCENES.label_space.palette
    rows = {0: palette[1], SIZE[0] // 2: palette[0], SIZE[0] - 1: palette[3]}
    photo_is(page, lambda found: all((found[row] == color).all() for row, color in rows.items()))
    page.keyboard.press("e")
    whole.click(position={"x": 5, "y": 5})
    photo_is(page, lambda found: (found[0, 0] == palette[3]).all())


def test_it_can_be_painted_by_the_keyboard_alone(page):
    while page.evaluate("document.activeElement.id") != "painting":
        page.keyboard.press("Tab")
    page.keyboard.press("9")
    for key in ("[", "[", "[", "Shift+ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    at = SIZE[0] // 2 + 1, SIZE[1] // 2 + 8
    photo_is(page, lambda found: (found[at] == SCENES.label_space.palette[8]).all())
    page.keyboard.press("Control+z")
    photo_is(page, SCENES.label_space.colorize(SCENES.load_label_map(0)))


def test_files_are_opened_and_saved(page, tmp_path):
    from PIL import Image

    label_map = np.zeros(SIZE, "uint8")
    label_map[:, ::2] = 3
    Image.fromarray(label_map).save(tmp_path / "stripes.png")
    page.locator("#file").set_input_files(tmp_path / "stripes.png")
    photo_is(page, SCENES.label_space.colorize(label_map))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save label map").click()
    download.value.save_as(tmp_path / "saved.png")
    np.testing.assert_array_equal(SCENES.label_space.read(tmp_path / "saved.png"), label_map)
    Image.fromarray(label_map + 50).save(tmp_path / "wrong.png")
    page.locator("#file").set_input_files(tmp_path / "wrong.png")
    message = page.get_by_role("alert")
    message.wait_for()
    assert "wrong.png: label id" in message.inner_text()


def test_seeds_segmentation_and_a_broken_model(page):
    page.get_by_role("button", name="More like this").click()
    page.get_by_role("button", name="Seed 8").wait_for()
    page.get_by_role("button", name="Seed 3").click()
    photo_is(page, np.minimum(SCENES.label_space.colorize(SCENES.load_label_map(0)).astype(int) + 3, 255))
    page.get_by_role("button", name="Segmentation").click()
    photo_is(page, lambda found: (found == SCENES.label_space.palette[2]).all())
    page.get_by_role("button", name="Segmentation").click()
    page.locator("#seed").fill("13")
    page.get_by_role("alert").wait_for()
    assert "this model is broken" in page.get_by_role("alert").inner_text()
    page.locator("#seed").fill("14")
    page.get_by_role("alert").wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_no_room_beside_the_page(browser, address, scheme):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    choose(page, "car")
    box = page.locator("#painting").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    photo_is(page, lambda found: (found[SIZE[0] // 2, SIZE[1] // 2] == SCENES.label_space.palette[8]).all())
    back, front = (
        [int(v) for v in page.evaluate(f"getComputedStyle(document.body).{name}").split("(")[1].split(")")[0].split(",")[:3]]
        for name in ("backgroundColor", "color")
    )
    assert (np.mean(back) > np.mean(front)) == (scheme == "light")
    assert abs(np.mean(back) - np.mean(front)) > 150
    context.close()
