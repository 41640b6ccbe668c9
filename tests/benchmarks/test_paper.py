"""The paper's comparison: every method's cell, a suite that goes on, and its report."""

import dataclasses
import json

import pytest

from benchmarks.paper.__main__ import arguments, main, settings_of
from benchmarks.paper.report import table
from benchmarks.paper.settings import METHODS, TABLES, Cell, Settings, cells, fix_settings, read_settings
from benchmarks.paper.train import build, data_sets, judge_cells, train_cell, train_segmenter_of
from keras_semisis.cli.sources import open_data
from tests.conftest import not_on_jax

TINY = Settings(
    "synthetic:12", image_size=(32, 64), steps=4, batch_size=2, precision="float32", base_channels=1, hidden_channels=4,
    noise_channels=4, discriminator_channels=(4, 4), discriminator_final_channels=4, unconditional_divisor=64,
    perceptual="none", features="segmenter", segmenter_steps=2, evaluations=2)


def result(method, ratio, seed, frechet, miou):
    return {"method": method, "ratio": ratio, "seed": seed, "scores": {"frechet": frechet, "miou": miou},
            "real": {"frechet": 1.0, "miou": 0.5}, "seconds_per_step": 1.0, "peak_memory_bytes": 2e9,
            "losses": {"generator/segmentation": 1.5}, "settings": {"features": "segmenter", "steps": 4, "profile": "cpu"}}


def test_cells_of_the_tables():
    names = [cell.name for cell in cells(TABLES[1], [0.1, 1.0], [0, 1])]
    assert len(names) == 2 * (1 + 3 * 2) == len(set(names))
    assert names[:3] == ["usis-r0-s0", "oasis-r0.1-s0", "oasis-r1-s0"]
    assert set(TABLES[2]) == {"oasis", "semi_paired", *"ABCDEF"}
    with pytest.raises(ValueError, match="--methods pix2pix: expected some of oasis"):
        cells(["pix2pix"], [0.1], [0])


def test_settings_are_the_same_for_every_cell(tmp_path):
    fix_settings(tmp_path, TINY)
    fix_settings(tmp_path, TINY)
    assert read_settings(tmp_path) == TINY
    assert read_settings(tmp_path, "synthetic:20").data == "synthetic:20"
    with pytest.raises(ValueError, match=r"steps \(4, now 5\)"):
        fix_settings(tmp_path, settings_of(arguments(
            "--data synthetic:12 --image-size 32 64 --steps 5 --batch-size 2 --precision float32".split())))


def test_a_profile_is_where_the_defaults_come_from():
    given = settings_of(arguments("--data synthetic --profile gpu --steps 20000".split()))
    assert (given.profile, given.image_size, given.steps) == ("gpu", (128, 192), 20_000)
    assert settings_of(arguments("--data synthetic".split())) == Settings("synthetic")


def test_settings_from_the_command():
    given = settings_of(arguments(
        "--data synthetic --unconditional-betas 0.0 0.999 --generator published --discriminator-channels 4 8".split()))
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
        False, False, True, True]
    assert not any(is_wavelet(method) for method in ("usis", "semi_paired"))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_built_at_the_suites_widths(method):
    train, _ = open_data(TINY.data, TINY.image_size)
    gan = build(method, TINY, train.label_space, seed=3)
    cell = Cell(method, 0.0 if method == "usis" else 0.5, 3)
    assert len(data_sets(gan, cell, TINY, train, None)) == len(gan.data_sets)
    assert gan.seed == 3
    assert gan.settings["ema_decay"] == TINY.ema_decay
    assert float(gan.optimizers["generator"].learning_rate) == pytest.approx(TINY.generator_learning_rate)
    if "unconditional_discriminator" in gan.network_names:
        judging = gan.optimizers["unconditional_discriminator"]
        assert float(judging.learning_rate) == pytest.approx(TINY.unconditional_learning_rate)
        assert (judging.beta_1, judging.beta_2) == TINY.unconditional_betas


def test_generators_of_the_two_kinds_are_equally_wide():
    train, _ = open_data(TINY.data, TINY.image_size)
    published = dataclasses.replace(TINY, generator="published")
    oasis, semi_paired = (build(name, published, train.label_space, 0).generator for name in ("oasis", "semi_paired"))
    widths = [[layer.filters for layer in network.layers if layer.name.startswith("body")] for network in (oasis, semi_paired)]
    assert widths[0][-len(widths[1]):] == widths[1]


@not_on_jax
def test_a_cell_and_its_report(tmp_path):
    fix_settings(tmp_path, TINY)
    cell = Cell("oasis", 0.5, 0)
    train_segmenter_of(TINY, tmp_path)
    train_cell(cell, TINY, tmp_path)
    document = json.loads(cell.file(tmp_path).read_text())
    assert {"frechet", "kid", "miou"} <= document["scores"].keys() & document["real"].keys()
    assert [record["step"] for record in document["history"]] == [2, 4]
    assert document["scores"]["miou"] == pytest.approx(sum(r["miou"] for r in document["history"]) / 2)
    assert document["losses"].keys() == {
        "discriminator/real", "discriminator/fake", "discriminator/label_mix", "generator/segmentation"}
    (tmp_path / "segmenter.keras").rename(tmp_path / "other.keras")
    assert main(["judge", "--segmenter", str(tmp_path / "other.keras"), "--output", str(tmp_path)]) == 0
    judged = json.loads(cell.file(tmp_path).read_text())["judged"]["other"]
    assert judged["miou"] == pytest.approx(document["history"][-1]["miou"]) and judged["miou_real"] == document["real"]["miou"]
    with pytest.raises(ValueError, match="this state is of step 4, and the cell's result of step 5"):
        judge_cells(tmp_path / "other.keras", dataclasses.replace(TINY, steps=5), tmp_path)
    (tmp_path / "other.keras").rename(tmp_path / "segmenter.keras")
    assert main(["report", "--output", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and "src=\"curves" not in page
    report = (tmp_path / "report.md").read_text()
    assert "| 50% | OASIS | 1 |" in report and "| mIoU ↑ (other) |" in report
    # nothing is left to do
    assert main(["--methods", "oasis", "--ratios", "0.5", "--output", str(tmp_path), *flags(TINY)]) == 0


def flags(settings):
    words = []
    for name, value in settings.__dict__.items():
        if isinstance(value, bool):
            continue
        values = value if isinstance(value, tuple) else (value,)
        words += ["--" + name.replace("_", "-"), *map(str, values)]
    return words


def test_table_has_means_deviations_the_papers_figures_and_real_images():
    head, rows = table([result("oasis", 0.1, 0, 10.0, 0.3), result("oasis", 0.1, 1, 14.0, 0.4),
                        result("semi_paired", 0.1, 0, 8.0, 0.45)])
    assert [row[:5] for row in rows] == [
        ["10%", "OASIS", "2", "12.0 ± 2.8", "0.350 ± 0.071"],
        ["10%", "semi-paired", "1", "8.0", "0.450"],
        ["", "real images", "", "1.0", "0.500"]]
    assert rows[1][5] == "48.9 / 60.4"
    assert len(head) == len(rows[0]) == len(rows[-1])
    judged = result("oasis", 0.1, 0, 10.0, 0.3) | {"judged": {"other": {"miou": 0.2, "miou_real": 0.6}}}
    head, rows = table([judged, result("semi_paired", 0.1, 0, 8.0, 0.45)])
    assert [row[5] for row in (head, *rows)] == ["mIoU ↑ (other)", "0.200", "", "0.600"]


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
