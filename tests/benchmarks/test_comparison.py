import io
import json
import subprocess

import pytest
from rich.console import Console

from benchmarks import comparison, step_time

in_git = pytest.mark.skipif(not (comparison.ROOT / ".git").exists(), reason="this checkout is no clone of git")


def measured(seconds, memory):
    return {
        "settings": {"backend": "b", "method": "oasis", "precision": "float32"},
        "phases": {"generator": {"seconds": seconds / 2, "processor_seconds": seconds**2 / 2}},
        "step": {"seconds": seconds, "processor_seconds": seconds**2, "peak_memory_bytes": memory},
    }


def test_a_ratio_is_the_median_of_the_pairs():
    pairs = [{"here": measured(h, 2**30), "other": measured(o, 2**31)} for h, o in ((1, 2), (2, 2), (10, 15))]
    found = comparison.ratios(pairs)
    assert found["step"] == {"other": 2, "here": 2, "ratio": 1.5, "range": [1, 2]}
    assert found["generator"]["ratio"] == 1.5 and found["peak memory"]["ratio"] == 2
    assert found["processor: step"]["ratio"] == found["processor: generator"]["ratio"] == 2.25


def test_a_step_has_the_processor_seconds_between_its_ends(monkeypatch):
    clock = iter([3.0, 3.25, 7.0, 7.5])
    monkeypatch.setattr(step_time.time, "process_time", lambda: next(clock))
    times = step_time.StepTimes()
    for _ in range(2):
        times.on_train_batch_begin(0)
        times.on_train_batch_end(0)
    assert times.processor == [0.25, 0.5]


@in_git
def test_each_is_measured_in_turns_and_a_line_is_added(tmp_path, monkeypatch):
    seen = []

    def run(root, argv, output):
        seen.append((root == comparison.ROOT, argv))
        return measured(1.0 if root == comparison.ROOT else 1.25, 2**30)

    monkeypatch.setattr(comparison, "_measured", run)
    argv = ["--compare", "HEAD", "--pairs", "2", "--method", "oasis", "--output", str(tmp_path / "history.jsonl")]
    for _ in range(2):
        step_time.main(argv)
    assert [here for here, _ in seen] == [True, False, False, True] * 2
    first, second = (json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines())
    assert first == second and first["ratios"]["step"]["ratio"] == 1.25 and first["pairs"] == 2


def test_options_of_the_comparison_are_not_of_what_is_measured():
    argv = ["--compare", "v1", "--method", "oasis", "--output=x", "--pairs", "2", "--data=camvid:x", "--steps", "4"]
    assert comparison._without(argv, comparison._OF_COMPARISON) == ["--method", "oasis", "--steps", "4"]


@in_git
def test_another_revision_is_its_package_with_these_benchmarks(tmp_path):
    comparison.extract("HEAD", tmp_path / "other")
    committed = subprocess.run(
        ["git", "show", "HEAD:keras_semisis/__init__.py"], cwd=comparison.ROOT, capture_output=True, check=True
    ).stdout
    assert (tmp_path / "other" / "keras_semisis" / "__init__.py").read_bytes() == committed
    assert (tmp_path / "other" / "benchmarks").resolve() == comparison.ROOT / "benchmarks"


@in_git
def test_a_revision_that_is_not_there_is_one_line():
    with pytest.raises(SystemExit, match="--compare: git rev-parse"):
        comparison.revision("no-such-revision")


def test_the_report_has_both_and_their_ratio():
    out = io.StringIO()
    pairs = [{"here": measured(1.0, 2**30), "other": measured(1.5, 2**31)}]
    entry = {"settings": measured(1, 1)["settings"], "compared_with": "a", "revision": "b+", "ratios": comparison.ratios(pairs)}
    comparison.report(entry, Console(file=out, width=100))
    assert "a -> b+" in out.getvalue() and "1.50 x" in out.getvalue() and "2.00 GiB" in out.getvalue()
