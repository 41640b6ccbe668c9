"""Two revisions of the package, measured in turns in one run, each in a process of its own."""

import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from datetime import date
from pathlib import Path

from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
_OF_COMPARISON = ("--compare", "--pairs", "--output", "--data")
_PROCESSOR = "processor: "


def compare(options, argv, console):
    """Prints, and adds to ``options.output``, how much faster this package is than that of another revision.

    Each pair is this package and the other one directly after it, in turns of order, so that what else the machine does
    meets both; a ratio is the median of the pairs' ratios, and their range tells how far to trust it.
    """
    ours = revision("HEAD")
    changed = bool(_git("status", "--porcelain", "--", "keras_semisis").strip())
    theirs = revision(options.compare)
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        extract(theirs, other)
        pairs = []
        for number in range(options.pairs):
            both = {}
            for name, root in (("here", ROOT), ("other", other)) if number % 2 == 0 else (("other", other), ("here", ROOT)):
                both[name] = _measured(root, argv, Path(folder) / f"{name}.json")
            pairs.append(both)
            before, after = (both[who]["step"]["seconds"] for who in ("other", "here"))
            console.print(f"pair {number + 1}/{options.pairs}: {before:.2f} s -> {after:.2f} s a step")
    entry = {
        "date": date.today().isoformat(),
        "revision": ours + ("+" if changed else ""),
        "compared_with": theirs,
        "settings": pairs[0]["here"]["settings"],
        "pairs": len(pairs),
        "ratios": ratios(pairs),
    }
    report(entry, console)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        with options.output.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def ratios(pairs):
    """Of each phase, the step and the peak memory: medians of both revisions, and the other's share of ours by pairs.

    Seconds are the clock's, and under ``"processor: ..."`` those of the process's processors: what others do on the machine
    changes these less.
    """
    names = [name for name in pairs[0]["here"]["phases"] if name in pairs[0]["other"]["phases"]]
    values = {
        prefix + name: [[pair[who]["phases"][name][key] for who in ("other", "here")] for pair in pairs]
        for prefix, key in (("", "seconds"), (_PROCESSOR, "processor_seconds"))
        for name in names
    }
    for name, key in (
        ("step", "seconds"),
        (f"{_PROCESSOR}step", "processor_seconds"),
        ("peak memory", "peak_memory_bytes"),
    ):
        values[name] = [[pair[who]["step"][key] for who in ("other", "here")] for pair in pairs]
    return {name: _ratio(both) for name, both in values.items()}


def _ratio(both):
    each = [other / here for other, here in both]
    return {
        "other": statistics.median(other for other, _ in both),
        "here": statistics.median(here for _, here in both),
        "ratio": statistics.median(each),
        "range": [min(each), max(each)],
    }


def report(entry, console):
    settings = entry["settings"]
    title = (
        f"{settings['backend']}, {settings['method']}, {settings['precision']}: {entry['compared_with']} -> {entry['revision']}"
    )
    table = Table(title=title)
    for heading in ("", "before", "after", "ratio", "range"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, values in entry["ratios"].items():
        memory = name == "peak memory"
        shown = [f"{values[who] / 2**30:.2f} GiB" if memory else f"{values[who]:.3f} s" for who in ("other", "here")]
        table.add_row(name, *shown, f"{values['ratio']:.2f} x", "{:.2f} to {:.2f}".format(*values["range"]))
    console.print(table)


def revision(name):
    """The short name of a commit."""
    return _git("rev-parse", "--short", "--verify", f"{name}^{{commit}}").strip()


def extract(name, folder):
    """The package as it was in a revision, with the benchmarks of this one."""
    archive = subprocess.run(["git", "archive", name, "keras_semisis"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks", target_is_directory=True)


def _git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"--compare: git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _measured(root, argv, output):
    words = [*_without(argv, _OF_COMPARISON), "--data", "none", "--output", str(output)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    subprocess.run(
        [sys.executable, "-m", "benchmarks.step_time", *words], cwd=root, env=environment, check=True, stdout=sys.stderr
    )
    return json.loads(output.read_text())


def _without(argv, names):
    kept, skip = [], False
    for word in argv:
        if skip:
            skip = False
        elif word in names:
            skip = True
        elif word.partition("=")[0] not in names:
            kept.append(word)
    return kept
