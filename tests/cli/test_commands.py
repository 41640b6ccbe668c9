"""The commands as a user types them, with the smallest networks: train, go on, generate, evaluate, demo."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_semisis.cli import app
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import demo as demo_module
from keras_semisis.recipes.run_folder import read_settings
from keras_semisis.recipes.step_clock import StepClock
from keras_semisis.recipes.stop_on_interrupt import StopOnInterrupt
from keras_semisis.recipes.trained_models import load_gan
from tests.cli.command import call
from tests.conftest import not_on_jax
from tests.models.test_efficientnet_lite0 import needs_weights

pytestmark = [
    pytest.mark.usefixtures("eager_tensorflow", "few_batches_for_the_statistics"),
    pytest.mark.filterwarnings("ignore:Even though the"),
]

TINY = (
    "--image-size 32x32 --batch-size 2 --base-channels 1 --noise-channels 4 --num-blocks 2 --r1-every 1 "
    "--discriminator-channels 4,4 --discriminator-final-channels 4 --unconditional-channels 4:4,8:4,32:4 "
    "--perceptual none --ratio 0.5 --data synthetic:12 --steps 4"
).split()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def segmenter(workplace):
    path = workplace / "segmenter.keras"
    output = call(
        "train-segmenter",
        "--data",
        "synthetic:12",
        "--image-size",
        "32x32",
        "--batch-size",
        2,
        "--steps",
        2,
        "--channels",
        "4,4",
        "--final-channels",
        4,
        "--output",
        path,
    )
    assert "mIoU" in output
    return path


@pytest.fixture(scope="module")
def whole_run(workplace, segmenter):
    call("train", *TINY, "--segmenter", segmenter, "--evaluate-every", 4, "--output", workplace / "whole")
    return workplace / "whole"


def losses(folder):
    return [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]


def test_train_leaves_everything(whole_run):
    names = {path.name for path in whole_run.iterdir()}
    assert {
        "settings.json",
        "last.keras",
        "best.keras",
        "scores.jsonl",
        "losses.jsonl",
        "losses.png",
        "tensorboard",
        "grid-000004.png",
    } <= names
    options = json.loads((whole_run / "settings.json").read_text())["options"]
    assert options.keys() == TrainSettings("", "").__dict__.keys()
    assert (options["image_size"], options["ratio"], options["r1_every"]) == ([32, 32], 0.5, 1)
    scores = json.loads((whole_run / "scores.jsonl").read_text().splitlines()[0])
    assert {"frechet", "kid", "miou", "miou_real"} <= scores.keys()


@not_on_jax
def test_a_resumed_run_has_the_losses_of_one_that_never_stopped(workplace, whole_run, monkeypatch):
    from keras_semisis.recipes import training

    class ControlC(StopOnInterrupt):
        """Ctrl-C during the second step."""

        def on_train_batch_begin(self, batch, logs=None):
            self.interrupted = batch == 1

    monkeypatch.setattr(training, "StopOnInterrupt", ControlC)
    folder = workplace / "stopped"
    output = call("train", *TINY, "--output", folder)
    assert "Stopped at step 2 of 4" in output and "--resume" in output
    monkeypatch.undo()
    call("train", "--resume", folder)
    assert losses(folder) == losses(whole_run)


@not_on_jax
def test_a_full_disk_ends_a_run_with_how_to_go_on(workplace, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = workplace / "full"
    monkeypatch.setattr("keras_semisis.callbacks.model_file.zipfile.ZipFile.writestr", full)
    output = call("train", *TINY, "--save-every", 2, "--output", folder, code=1)
    assert "Stopped at step 2 of 4. When what is wrong is put right, go on from the last checkpoint with:" in output
    assert f"train --resume {folder}" in output and f"No space left on device: '{folder / 'last.keras'}'" in output


def test_a_run_is_not_overwritten_and_not_gone_on_with_twice(whole_run):
    assert "there is a run in this folder" in call("train", *TINY, "--output", whole_run, code=1)
    assert "has done all of its 4 steps" in call("train", "--resume", whole_run, code=1)
    assert "leave --seed, --steps out" in call("train", "--resume", whole_run, "--seed", 1, "--steps", 9, code=1)


def test_a_mistyped_best_score_is_found_before_there_is_a_run(workplace, segmenter):
    folder = workplace / "mistyped"
    output = call("train", *TINY, "--segmenter", segmenter, "--best", "mIoU", "--output", folder, code=1)
    assert "--best mIoU: expected one of " in output and ", miou." in output and output.count("\n") == 1
    assert not (folder / "settings.json").exists()


def test_generate_writes_a_photo_for_each_label_map_and_sample(workplace, whole_run):
    maps = workplace / "maps"
    maps.mkdir()
    Image.fromarray(np.full((64, 48), 3, "uint8")).save(maps / "a.png")
    Image.fromarray(np.full((32, 32), 5, "uint8")).save(maps / "b.png")
    model = whole_run / "last.keras"
    call("generate", model, maps, "--output", workplace / "photos", "--samples", 2)
    photos = sorted(path.name for path in (workplace / "photos").iterdir())
    assert photos == ["a-0.png", "a-1.png", "b-0.png", "b-1.png"]
    first, second = (np.asarray(Image.open(workplace / "photos" / name)) for name in photos[:2])
    assert first.shape == (32, 32, 3) and (first != second).any()
    # a file's photo is its own, whatever else is in the folder, and what Python draws for its name
    assert "1 photo in" in call("generate", model, maps / "b.png", "--output", workplace / "alone")
    alone = np.asarray(Image.open(workplace / "alone" / "b.png")).astype(int)
    assert np.abs(alone - np.asarray(Image.open(workplace / "photos" / "b-0.png"))).max() <= 1
    drawn = load_gan(model).generate(np.full((32, 32), 5, "uint8"), first="b")
    assert np.abs(alone - drawn).max() <= 1
    Image.fromarray(np.full((32, 32), 77, "uint8")).save(maps / "c.png")
    output = call("generate", model, maps / "c.png", code=1)
    assert "c.png: label id 77" in output and "Traceback" not in output
    assert "there is no such file or folder" in call("generate", model, maps / "d.png", code=1)
    assert "there is no such model" in call("generate", maps / "d.keras", maps, code=1)


def test_devices_that_are_not_there_are_refused_in_one_line(workplace, whole_run):
    for devices, words in ((999, "--devices 999: "), ("two", "--devices two: expected a number, or all.")):
        for command in (["generate", whole_run / "last.keras", workplace], ["train", "--resume", whole_run]):
            output = call(*command, "--devices", devices, code=1)
            assert words in output and output.count("\n") == 1, output


def test_publish_makes_a_preset_of_a_run_which_generate_and_evaluate_take(workplace, whole_run, segmenter):
    folder, maps = workplace / "preset", workplace / "maps of the preset"
    output = call("publish", whole_run / "last.keras", folder, "--dtype", "float16")
    assert "lacks a license (--license)." in output and f"hf upload USER/MODEL {folder}" in output
    card = (folder / "README.md").read_text()
    assert "- method: semi_paired\n- data: synthetic\n" in card and "- steps: 4\n" in card
    again = re.search(r"^    keras-semisis train (.*)$", card, re.MULTILINE)[1].replace("FILE", str(segmenter)).split()
    assert again[:2] == ["--data", "synthetic:12"] and str(workplace) not in card
    with mock.patch("keras_semisis.recipes.training.begin", side_effect=ValueError("begun")) as begin:
        assert "begun" in call("train", *again, code=1)
    assert replace(begin.call_args.args[0], output="", segmenter="") == replace(
        read_settings(whole_run), output="", segmenter=""
    )
    assert "| miou | " in card and "](grid.png)" in card
    maps.mkdir()
    Image.fromarray(np.full((32, 32), 5, "uint8")).save(maps / "b.png")
    for model, photos in ((folder, "of the preset"), (whole_run / "last.keras", "of the file")):
        call("generate", model, maps, "--output", workplace / photos)
    preset, file = (np.asarray(Image.open(workplace / name / "b.png")).astype(int) for name in ("of the preset", "of the file"))
    assert np.mean(np.abs(preset - file) > 2) < 0.01
    scored = ["--data", "synthetic:12", "--batch-size", 2, "--segmenter", segmenter, "--output", workplace / "scored.json"]
    call("evaluate", folder, *scored, "--cache", workplace / "cache")
    assert "miou" in json.loads((workplace / "scored.json").read_text())["generated"]
    call("publish", whole_run / "last.keras", folder, "--scores", workplace / "scored.json")
    assert "protocol" in json.loads((folder / "metadata.json").read_text())["scores"]
    assert "--scores" in call("publish", whole_run / "last.keras", folder, "--scores", folder / "README.md", code=1)
    assert "no label maps lie beside it" in call("generate", folder, code=1)
    assert "nowhere: there is no such model" in call("generate", "nowhere", code=1)
    call("publish", whole_run / "last.keras", folder, "--examples", 2)
    call("generate", folder, "--output", workplace / "examples")
    assert sorted(path.name for path in (workplace / "examples").iterdir()) == ["label_map-0.png", "label_map-1.png"]


def test_evaluate_writes_scores_beside_those_of_real_images(workplace, whole_run, segmenter):
    path, cache = workplace / "results.json", workplace / "cache"
    common = ["evaluate", whole_run / "last.keras", "--data", "synthetic:12", "--batch-size", 2, "--cache", cache]
    output = call(*common, "--segmenter", segmenter, "--output", path)
    document = json.loads(path.read_text())
    for scores in (document["generated"], document["real"]):
        assert {"frechet", "kid", "kid_se", "precision", "recall", "miou", "fwiou", "pixel_accuracy"} <= scores.keys()
    assert document["protocol"]["name"] == "native" and document["settings"]["split"] == "val"
    assert len(list(cache.iterdir())) == 3  # features of both splits, and the segmenter's answers
    assert f"{document['generated']['miou']:.4f}" in output
    # the same model, photos and noise as the last evaluation of training
    last = json.loads((whole_run / "scores.jsonl").read_text().splitlines()[-1])
    assert document["generated"]["miou"] == pytest.approx(last["miou"], rel=1e-3)
    assert document["real"]["miou"] == pytest.approx(last["miou_real"], rel=1e-3)
    assert "Nothing to score with" in call(*common, code=1)


def test_published_protocols_name_the_file_that_they_need(workplace, whole_run, segmenter):
    path = workplace / "clean.json"
    common = [
        "evaluate",
        whole_run / "last.keras",
        "--data",
        "synthetic:12",
        "--segmenter",
        segmenter,
        "--cache",
        workplace / "cache",
    ]
    missing = call(*common, "--protocol", "clean", code=1)
    for words in ("--inception FILE", "pt_inception-2015-12-05-6726825d.pth", "--protocol native"):
        assert words in missing
    assert "nowhere.pth: there is no such file" in call(*common, "--protocol", "clean", "--inception", "nowhere.pth", code=1)
    assert "fixes the feature network" in call(*common, "--protocol", "clean", "--features", "segmenter", code=1)
    # without it, what the segmenter says can be had
    output = call(*common, "--protocol", "clean", "--features", "none", "--output", path)
    document = json.loads(path.read_text())
    assert "Protocol clean, version 1, 6 images" in output and "Not measured: fréchet distance" in output
    assert document["generated"].keys() == document["real"].keys() == {"miou", "fwiou", "pixel_accuracy"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--protocol", "fid"], "protocol='fid': expected one of"),
        (["--features", "vgg"], "--features vgg: expected one of"),
        (["--features", "segmenter"], "--features segmenter needs a --segmenter"),
        (["--perceptual", "resnet"], "--perceptual resnet: expected one of"),
        (["--segmenter", "none.keras"], "--segmenter none.keras: there is no such file"),
        (["--segmenter", "segformer:segformer_b1_cityscapes_1024"], "holds the weights of segformer_b1_ade20k_512"),
    ],
)
def test_mistakes_in_an_evaluation_end_in_one_line(options, words):
    output = call("evaluate", "street", "--data", "synthetic:12", *options, code=1)
    assert words in output and output.count("\n") == 1


@not_on_jax
@needs_weights
def test_a_segmenter_on_features_of_imagenet_judges(workplace, whole_run):
    path = workplace / "imagenet.keras"
    call(
        "train-segmenter",
        "--data",
        "synthetic:12",
        "--image-size",
        "32x32",
        "--network",
        "efficientnet_lite0",
        "--batch-size",
        2,
        "--steps",
        1,
        "--output",
        path,
    )
    common = (
        "evaluate",
        whole_run / "last.keras",
        "--data",
        "synthetic:12",
        "--segmenter",
        path,
        "--output",
        workplace / "by_imagenet.json",
    )
    call(*common)
    # it has no bottleneck that the distances could take
    assert json.loads((workplace / "by_imagenet.json").read_text())["generated"].keys() == {"miou", "fwiou", "pixel_accuracy"}
    assert "--features segmenter needs a --segmenter" in call(*common, "--features", "segmenter", code=1)
    command = ("train-segmenter", "--data", "synthetic:12", "--output", path)
    assert "--network big: expected unet or efficientnet_lite0" in call(*command, "--network", "big", code=1)
    assert call(*command, "--precision", "mixed_float16", code=1) == (
        "Error: --precision mixed_float16: expected float32 or mixed_bfloat16.\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "train needs --data"),
        (["--data", "folder:nowhere"], "nowhere: there is no such folder"),
        (["--data", "synthetic:10", "--precision", "float64"], "--precision float64"),
        (
            ["--data", "synthetic:10", "--generator", "big", "--perceptual", "none"],
            "--generator big: expected wavelet or oasis",
        ),
        (["--data", "synthetic:10", "--ratio", "0.01"], "leaves no pair"),
        (["--data", "synthetic:10", "--features", "segmenter"], "--features segmenter needs --segmenter"),
        (["--data", "synthetic:10", "--segmenter", "none.keras"], "there is no such file"),
        (["--data", "synthetic:10", "--image-size", "50x50", "--perceptual", "none"], "50"),
        (["--resume", "nowhere"], "this folder holds no run"),
    ],
)
@pytest.mark.filterwarnings("ignore:The . pairs")
def test_mistakes_end_in_one_line(options, words, workplace):
    where = [] if "--resume" in options else ["--output", workplace / "mistake"]
    output = call("train", *options, *where, code=1)
    assert words in output and output.startswith("Error: ") and output.count("\n") == 1


def test_a_remedy_is_an_option_of_the_command_line(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(tmp_path / "images" / "0.png")
    label_file = tmp_path / "labels" / "0.png"
    Image.fromarray(np.array([[0, 1], [3, 255]], "uint8")).save(label_file)
    command = ("train", "--data", f"folder:{tmp_path}", "--output", tmp_path / "run")
    assert "Give --ignore-class 255 to make a don't-care class of it, or a classes.csv." in call(*command, code=1)
    Image.fromarray(np.array([[0, 255], [0, 255]], "uint8")).save(label_file)
    assert "Give --id-map 255=1 to make them classes" in call(*command, code=1)
    (tmp_path / "classes.csv").write_text("id,name,r,g,b\n0,a,0,0,0\n2,b,1,1,1\n")
    assert "give --id-map STORED=CLASS if" in call(*command, code=1)


def test_debug_shows_the_traceback():
    assert isinstance(CliRunner().invoke(app, ["--debug", "train"]).exception, ValueError)


@not_on_jax
@pytest.mark.filterwarnings("ignore:The . pairs")
@pytest.mark.filterwarnings("ignore:frechet")
def test_demo_leaves_model_pictures_and_scores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_module, "_SEGMENTER_CHANNELS", (4, 4))
    monkeypatch.setattr(
        demo_module,
        "demo_settings",
        lambda output, seed: TrainSettings(
            data="synthetic:12",
            output=str(output),
            ratio=0.5,
            image_size=(32, 32),
            batch_size=2,
            seed=seed,
            generator="oasis",
            base_channels=1,
            noise_channels=4,
            num_blocks=3,
            discriminator_channels=(4, 4),
            discriminator_final_channels=4,
            unconditional_channels={4: 4, 8: 4, 32: 4},
            perceptual="none",
            r1_every=1,
        ),
    )
    assert "draw only a beginning" in call("demo", "--name", "small", "--minutes", 10, "--steps", 4)
    folder = Path("runs/small")
    assert {"model.keras", "grid.png", "losses.png", "results.json", "tensorboard"} <= {p.name for p in folder.iterdir()}
    results = json.loads((folder / "results.json").read_text())
    for part in ("before", "after", "real"):
        assert {"frechet", "kid", "miou"} <= results[part].keys()
    assert results["settings"]["steps_done"] == 4
    assert "segmenter" in results["settings"]["features"]
    assert [record["step"] for record in losses(folder)] == list(range(1, 5))
    assert "there is a demo in this folder" in call("demo", "--name", "small", code=1)


def test_the_clock_stops_before_the_deadline_passes(monkeypatch):
    now = iter(range(0, 100, 5))
    monkeypatch.setattr("keras_semisis.recipes.step_clock.time.monotonic", lambda: float(next(now)))

    class Model:
        stop_training = False

    clock = StepClock(deadline=26.0)
    clock._model = Model()
    done = 0
    while not Model.stop_training and not clock._model.stop_training:
        clock.on_train_batch_begin(done)
        clock.on_train_batch_end(done)
        done += 1
    # steps of 5 end at 5, 15, 25; another of 5 would end after 26
    assert done == 3 and clock.seconds == [5.0, 5.0, 5.0]


def test_generate_draws_at_the_size_that_is_asked_for_and_says_what_is_resized(workplace, whole_run):
    maps, model = workplace / "maps of sizes", whole_run / "last.keras"
    maps.mkdir()
    label_map = np.kron(np.random.default_rng(0).integers(0, 11, (8, 6)), np.ones((8, 8), int)).astype("uint8")[:58]
    Image.fromarray(label_map).save(maps / "a.png")
    Image.fromarray(label_map[:32, :32]).save(maps / "b.png")

    def photos(name, *options):
        output = call("generate", model, maps, "--output", workplace / name, *options)
        return output, *(np.asarray(Image.open(workplace / name / file)) for file in ("a.png", "b.png"))

    output, a, b = photos("resized")
    assert a.shape == b.shape == (32, 32, 3)
    assert "a: the label map is 58×48; it, and others of other sizes, are resized to the model's 32×32." in output
    output, a, own_b = photos("own", "--image-size", "own")
    assert a.shape == (58, 48, 3) and "resized" not in output and np.abs(b.astype(int) - own_b).max() <= 1
    assert "a: 58×48 is no multiple of the generator's 4; the label map is continued to 60×48" in output
    np.testing.assert_array_equal(a, load_gan(model).generate(label_map, first="a"))
    output, a, b = photos("sized", "--image-size", "64x32")
    assert a.shape == b.shape == (64, 32, 3) and "resized" not in output
    output, tiled, _ = photos("tiles", "--image-size", "64x32", "--tile-size", "32x32")
    assert tiled.shape == (64, 32, 3)
    assert "--tile-size 30x30: height and width of a tile have to be multiples of 4" in call(
        "generate", model, maps, "--tile-size", "30x30", code=1
    )
    assert "--image-size big: expected own, or HEIGHTxWIDTH" in call("generate", model, maps, "--image-size", "big", code=1)


def test_generate_draws_other_noise_in_one_region(workplace, whole_run):
    maps, model = workplace / "maps of regions", whole_run / "last.keras"
    maps.mkdir()
    label_map = np.full((32, 32), 3, "uint8")
    label_map[:, 20:] = 5
    Image.fromarray(label_map).save(maps / "a.png")
    Image.fromarray((label_map == 5).astype("uint8") * 255).save(workplace / "mask.png")
    output = call("generate", model, maps, "--output", workplace / "regions", "--resample", "5=7")
    assert re.search(r"a mean difference of \d+\.\d gray levels inside, \d+\.\d outside of the regions", output)
    photo = np.asarray(Image.open(workplace / "regions" / "a.png"))
    np.testing.assert_array_equal(photo, load_gan(model).generate(label_map, first="a", resample=[(5, 7)]))
    call("generate", model, maps, "--output", workplace / "masked", "--resample", f"{workplace / 'mask.png'}=7")
    np.testing.assert_array_equal(np.asarray(Image.open(workplace / "masked" / "a.png")), photo)
    assert "--resample car: expected REGION=SEED" in call("generate", model, maps, "--resample", "car", code=1)


def test_generate_makes_films_between_seeds_and_of_frames(workplace, whole_run, monkeypatch):
    maps, model = workplace / "frames", whole_run / "last.keras"
    maps.mkdir()
    label_map = np.full((32, 32), 3, "uint8")
    for i in range(3):
        label_map[:, i] = 5
        Image.fromarray(label_map).save(maps / f"{i}.png")
    call(
        "generate", model, maps / "0.png", "--output", workplace / "way", "--interpolate", 3, 8, "--frames", 4, "--video", "gif"
    )
    frames = [np.asarray(Image.open(workplace / "way" / f"0-{i}.png")) for i in range(4)]
    gan, first = load_gan(model), np.asarray(Image.open(maps / "0.png"))
    for seed, frame in ((3, frames[0]), (8, frames[3])):
        assert np.abs(gan.generate(first, seed=seed, first="0").astype(int) - frame).max() <= 1
    with Image.open(workplace / "way" / "0.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"]) == (4, (32, 32), 80)  # GIF counts hundredths of a second
    output = call("generate", model, maps, "--output", workplace / "film", "--one-noise", "--video", "gif")
    assert re.search(r"Flicker: .* \d+\.\d gray levels where the label map stays the same, \d+\.\d where it moves", output)
    noise = gan.noise_of_seed(0)[0]
    drawn = gan.generate(label_map, noise=noise).astype(int)
    assert np.abs(drawn - np.asarray(Image.open(workplace / "film" / "2.png"))).max() <= 1
    with Image.open(workplace / "film" / "film.gif") as film:
        assert film.n_frames == 3
    for options, words in (
        (("--video", "gif"), "--video gif needs --interpolate or --one-noise"),
        (("--interpolate", 1, 2, "--samples", 2), "--samples 2 has no use with --interpolate"),
        (("--one-noise", "--video", "avi"), "--video avi: expected gif or mp4"),
    ):
        assert words in call("generate", model, maps, *options, code=1)
    monkeypatch.setenv("PATH", str(workplace))
    assert "needs the program ffmpeg" in call("generate", model, maps, "--one-noise", "--video", "mp4", code=1)
    # a program that keeps what it is given
    program = workplace / "ffmpeg"
    program.write_text('#!/bin/sh\nfor last; do :; done\n/bin/cat > "$last"\n')
    program.chmod(0o755)
    call("generate", model, maps, "--output", workplace / "film", "--one-noise", "--video", "mp4")
    assert (workplace / "film" / "film.mp4").read_bytes()[: 32 * 32 * 3] == Image.open(workplace / "film" / "0.png").tobytes()
