"""``python -m benchmarks.paper --table 1 --data camvid:PATH`` trains, ``... report`` renders; see benchmarks/README.md."""

import argparse
import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.paper.settings import PROFILES, RATIOS, TABLES, Cell, Settings, cells, fix_settings, read_settings


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["train", "judge", "report", "segmenter", "cell"],
        default="train",
        help="train (the default) all cells that have no result, judge those that are done by another "
        "segmenter, or render the report; train runs segmenter and cell, each in a process of its own",
    )
    parser.add_argument("--output", type=Path, default=Path("runs/paper"))
    parser.add_argument(
        "--table", type=int, choices=TABLES, default=1, help="chooses methods and ratios as the paper's table does; default 1"
    )
    parser.add_argument("--methods", nargs="+", help="in place of the table's")
    parser.add_argument("--ratios", nargs="+", type=float, help="shares of labeled photos, in place of the table's")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--segmenter", type=Path, help="of judge: a .keras file, whose name is that of the column")
    parser.add_argument("--jobs", type=int, default=1, help="cells that are trained at a time")
    parser.add_argument("--devices", help="how many share a cell's batches, or all of them, on JAX; by default one")
    profile = parser.add_argument_group("the same for every method")
    for field in dataclasses.fields(Settings):
        flag = "--" + field.name.replace("_", "-")
        if field.name == "profile":
            profile.add_argument(flag, choices=PROFILES, help="what the defaults are for: two CPU cores (default) or a GPU")
            continue
        default = None if field.default is dataclasses.MISSING else field.default
        if field.name == "load_size":
            profile.add_argument(flag, type=int, nargs=2, metavar="N", help="of training photos before a crop; default no crop")
        elif isinstance(default, bool):
            profile.add_argument(flag, action="store_true", default=None)
        elif isinstance(default, tuple):
            profile.add_argument(
                flag, type=type(default[0]), nargs="+", metavar="N", help=f"default {' '.join(map(str, default))}"
            )
        else:
            profile.add_argument(flag, type=type(default or ""), help=default and f"default {default}")
    return parser.parse_args(argv)


def settings_of(options) -> Settings:
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Settings)}
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value is not None}
    if "data" not in given:
        raise ValueError("train needs --data: camvid:PATH, folder:PATH or synthetic.")
    return Settings(**PROFILES[given.get("profile", "cpu")] | given)


def train(options) -> int:
    """Trains what has no result yet, each cell in a process of its own. Returns the number of cells that failed."""
    settings = settings_of(options)
    chosen = cells(options.methods or TABLES[options.table], options.ratios or RATIOS[options.table], options.seeds)
    fix_settings(options.output, settings)
    missing = [cell for cell in chosen if not cell.file(options.output).exists()]
    print(f"{len(chosen)} cells, {len(chosen) - len(missing)} of them done", flush=True)

    def run(command: str, name: str, threads: int, *arguments) -> bool:
        log = options.output / "running" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        line = [
            sys.executable,
            "-m",
            "benchmarks.paper",
            command,
            "--output",
            options.output,
            "--data",
            settings.data,
            *arguments,
        ]
        limits = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(threads))
        with log.open("a") as file:
            code = subprocess.run(
                list(map(str, line)), stdout=file, stderr=subprocess.STDOUT, env=limits | os.environ
            ).returncode
        reason = "" if code == 0 else log.read_text(errors="replace").strip().rpartition("\n")[-1]
        print(f"{name}: " + ("done" if code == 0 else f"failed, see {log}: {reason}"), flush=True)
        return code == 0

    # one thread a cell is the fastest where as many cells are trained as there are cores
    cores = os.cpu_count() or 1
    if missing and not run("segmenter", "segmenter", cores):
        return len(missing)
    with ThreadPoolExecutor(options.jobs) as pool:
        return list(
            pool.map(
                lambda cell: run(
                    "cell",
                    cell.name,
                    max(1, cores // options.jobs),
                    "--methods",
                    cell.method,
                    "--ratios",
                    cell.ratio,
                    "--seeds",
                    cell.seed,
                    *(() if options.devices is None else ("--devices", options.devices)),
                ),
                missing,
            )
        ).count(False)


def main(argv=None) -> int:
    options = arguments(argv)
    try:
        if options.command == "report":
            from benchmarks.paper.report import write_report

            print(f"Written to {write_report(options.output)}")
            return 0
        if options.command in ("judge", "segmenter", "cell"):
            from benchmarks.paper.train import judge_cells, train_cell, train_segmenter_of
            from keras_semisis.recipes.devices import use_devices

            settings = read_settings(options.output, options.data)
            if options.command != "segmenter":
                use_devices(options.devices)
            if options.command == "judge":
                if options.segmenter is None:
                    raise ValueError("judge needs --segmenter: a file of keras-semisis train-segmenter.")
                judge_cells(options.segmenter, settings, options.output)
                return 0
            if options.command == "segmenter":
                train_segmenter_of(settings, options.output)
                return 0
            cell = Cell(options.methods[0], options.ratios[0], options.seeds[0])
            train_cell(cell, settings, options.output)
            return 0
        return 1 if train(options) else 0
    except (ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
