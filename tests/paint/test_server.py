"""What the page asks and gets, and who may not ask."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import keras_semisis as ks
from keras_semisis.paint.easel import MOST_PHOTOS, Easel, label_bytes
from tests.paint.easels import SCENES, SIZE, Painted, easel

testclient = pytest.importorskip("starlette.testclient")
pytest.importorskip("httpx")
server = pytest.importorskip("keras_semisis.paint.server")
MAP = np.asarray(SCENES.load_label_map(0))


@pytest.fixture(scope="module")
def client():
    return testclient.TestClient(server.make_app(easel()), base_url="http://127.0.0.1:8765", raise_server_exceptions=False)


def picture(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_the_page_knows_the_model(client):
    found = client.get("/api/model").json()
    assert (found["height"], found["width"]) == SIZE
    assert found["classes"][8] == {"id": 8, "name": "car", "color": [0, 0, 142], "ignored": False}
    assert [known["id"] for known in found["classes"] if known["ignored"]] == [10]
    assert found["examples"] == 2 and found["noise"] and found["segments"] and found["name"] == "street"


def test_photos_are_of_the_label_map_and_the_seeds(client):
    expected = SCENES.label_space.colorize(MAP).astype(int)
    photos = picture(client.post("/api/photos?seed=5&count=3", content=label_bytes(MAP))).reshape(3, *SIZE, 3)
    for i, photo in enumerate(photos):
        np.testing.assert_array_equal(photo, np.minimum(expected + 5 + i, 255))


def test_an_example_comes_as_it_is(client):
    np.testing.assert_array_equal(np.frombuffer(client.get("/api/examples/0").content, "<u2").reshape(SIZE), MAP)
    assert client.get("/api/examples/2").json() == {"error": "There are 2 examples, and no number 2."}


def test_segmentation_is_in_the_classes_colors(client):
    found = picture(client.post("/api/segmentation?seed=1", content=label_bytes(MAP)))
    np.testing.assert_array_equal(found, np.broadcast_to(SCENES.label_space.palette[2], found.shape))


def test_what_is_segmented_is_the_photo_of_the_seed(client, monkeypatch):
    seen = []
    monkeypatch.setattr(Painted, "segment", lambda self, photos: seen.append(photos) or np.zeros(SIZE, int))
    client.post("/api/segmentation?seed=4", content=label_bytes(MAP))
    np.testing.assert_array_equal(seen[0], picture(client.post("/api/photos?seed=4", content=label_bytes(MAP))))


def test_things_are_told_apart_by_their_classes(client, monkeypatch):
    monkeypatch.setattr(Painted, "instance_edges", True)
    given, generate = [], Painted.generate
    monkeypatch.setattr(Painted, "generate", lambda *args, **how: given.append(how["instances"]) or generate(*args, **how))
    client.post("/api/photos?seed=4", content=label_bytes(MAP))
    np.testing.assert_array_equal(given, [MAP])


def test_what_is_saved_is_what_a_folder_reads(client, tmp_path):
    label_map = client.post("/api/label_map", content=label_bytes(MAP)).content
    np.testing.assert_array_equal(SCENES.label_space.decode(label_map, "saved.png"), MAP)
    pair = client.post("/api/pair?seed=3&name=../a b", content=label_bytes(MAP))
    with zipfile.ZipFile(io.BytesIO(pair.content)) as archive:
        assert sorted(archive.namelist()) == ["classes.csv", "images/___a_b.png", "labels/___a_b.png"]
        archive.extractall(tmp_path)
    folder = ks.data.Folder(tmp_path)
    assert folder.label_space == SCENES.label_space
    photo, read = folder.load(0)
    np.testing.assert_array_equal(read, MAP)
    np.testing.assert_array_equal(photo, np.minimum(SCENES.label_space.colorize(MAP).astype(int) + 3, 255))


def test_a_label_map_of_more_than_256_classes_is_saved_in_16_bits():
    model = Painted()
    model.label_space = None
    model.num_classes = 300
    label_map = np.full(SIZE, 299)
    content = Easel(model, "many").write(label_map)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), label_map)


def test_an_opened_file_is_checked_and_brought_to_the_model_s_size(client):
    file = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat(MAP.astype("uint8"), 2, 0), 2, 1)).save(file, "PNG")
    opened = client.post("/api/open?name=street.png", content=file.getvalue())
    np.testing.assert_array_equal(np.frombuffer(opened.content, "<u2").reshape(SIZE), MAP)
    file = io.BytesIO()
    Image.fromarray(np.pad(MAP.astype("uint8"), ((0, 0), (24, 24)))).save(file, "PNG")
    np.testing.assert_array_equal(Easel(Painted(), "street", fit="crop").open(file.getvalue(), "wide.png"), MAP)
    file = io.BytesIO()
    Image.fromarray(np.full(SIZE, 77, "uint8")).save(file, "PNG")
    wrong = client.post("/api/open?name=street.png", content=file.getvalue())
    assert wrong.status_code == 400 and "street.png: label id 77" in wrong.json()["error"]
    assert "street.png" in client.post("/api/open?name=street.png", content=b"<html>").json()["error"]


@pytest.mark.parametrize(
    ("path", "content", "status", "words"),
    [
        ("/api/photos", b"\0" * 10, 400, "10 bytes; 3072 are expected"),
        ("/api/photos", label_bytes(np.full(SIZE, 11)), 400, "11"),
        ("/api/photos?seed=-1", label_bytes(MAP), 400, "seed='-1' is no number"),
        ("/api/photos?seed=1e99", label_bytes(MAP), 400, "seed='1e99' is no number"),
        (f"/api/photos?count={MOST_PHOTOS + 1}", label_bytes(MAP), 400, "17 photos at once"),
        ("/api/photos", b"\0" * 3073, 413, "More than 3,072 bytes"),
        ("/api/photos?seed=13", label_bytes(MAP), 500, "FloatingPointError: this model is broken"),
    ],
)
def test_a_bad_request_and_a_broken_model_give_a_message(client, path, content, status, words):
    answer = client.post(path, content=content)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text


def test_a_file_that_is_too_large_is_refused(client, monkeypatch):
    monkeypatch.setattr(server, "MOST_BYTES", 1000)
    assert client.post("/api/open", content=b"\0" * 1001).status_code == 413


def test_names_of_other_machines_and_pages_are_refused(client):
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example"):
        assert client.get("/", headers={"host": host}).status_code == 400
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert client.post("/api/photos", content=label_bytes(MAP), headers={"origin": origin}).status_code == 403
    own = {"origin": "http://127.0.0.1:8765"}
    assert client.post("/api/photos", content=label_bytes(MAP), headers=own).status_code == 200


def test_the_page_loads_nothing_from_elsewhere(client):
    answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("main.js", "painting.js", "api.js", "style.css", "icon.svg"):
        found = client.get(f"/static/{name}")
        assert found.status_code == 200
        assert "http" not in found.text.replace("http://www.w3.org/2000/svg", "")
        assert "content-security-policy" in found.headers


def test_requests_beyond_those_that_may_wait_are_refused(monkeypatch):
    monkeypatch.setattr(server, "MOST_WAITING", 0)
    app = testclient.TestClient(server.make_app(easel()), base_url="http://localhost")
    answer = app.post("/api/photos", content=label_bytes(MAP))
    assert answer.status_code == 429 and "Try again" in answer.json()["error"]


def test_a_port_that_cannot_be_had_is_named():
    with server.listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"--port {port}: .*--port 0 takes any"):
            server.listening("127.0.0.1", port)
    with pytest.raises(OSError, match=r"--port 99999: .*0-65535.*--port 0 takes any"):
        server.listening("127.0.0.1", 99999)
