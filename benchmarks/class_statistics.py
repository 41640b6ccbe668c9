"""Time and memory of the class statistics pass at growing numbers of label maps, beside the decoding limit."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

_CLASSES, _SHOWN = 183, 12
_DIFFERENT = 64
_LIMIT_SAMPLE = 2000


def write_label_maps(folder: Path, number: int, size: tuple[int, int]) -> None:
    """``number`` label maps of a size, of which 64 differ: the others are links to them."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(number):
        path = folder / f"{i // 1000:04d}" / f"{i:07d}.png"
        if i % 1000 == 0:
            path.parent.mkdir(parents=True)
        if i < _DIFFERENT:
            Image.fromarray(_label_map(rng, size)).save(path)
            paths.append(path)
        else:
            os.link(paths[i % _DIFFERENT], path)


def _label_map(rng, size):
    """Cells around random points, with wavy borders, each of one of a dozen classes."""
    rows, columns = np.indices(size)
    rows = rows + 6 * np.sin(columns / 9)
    points = rng.random((40, 2)) * size
    nearest = np.argmin([(rows - y) ** 2 + (columns - x) ** 2 for y, x in points], axis=0)
    shown = (_CLASSES * rng.random(_SHOWN) ** 3).astype(np.uint8)
    return shown[rng.integers(0, _SHOWN, 40)][nearest]


def measure(folder: Path) -> dict[str, float]:
    """Of the label maps in a folder. To be called once in a process, for the sake of the peak of its memory."""
    from keras_semisis.data import Folder, LabelSpace, class_statistics
    from keras_semisis.data.labels.distinct_colors import distinct_colors

    space = LabelSpace([str(i) for i in range(_CLASSES)], distinct_colors(_CLASSES))
    megabytes = {"imported": _memory("VmRSS")}
    seconds = {}

    def timed(name, function):
        begin = time.perf_counter()
        result = function()
        seconds[name] = time.perf_counter() - begin
        return result

    source = timed("listing", lambda: Folder(folder.parent, images=None, labels=folder, label_space=space))
    megabytes["listed"] = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    cache = folder.parent / "statistics.npz"
    counts = timed("counting", lambda: class_statistics(source, cache=cache))
    megabytes["peak"] = _memory("VmHWM")
    again = timed("reading the cache", lambda: class_statistics(source, cache=cache))
    assert np.array_equal(counts.totals, again.totals) and len(counts) == len(source)
    sample = [source._labels[source.name(i)] for i in range(min(len(source), _LIMIT_SAMPLE))]
    timed("limit", lambda: _decode_all(sample))
    limit = len(sample) / seconds.pop("limit")
    return {
        "label_maps": len(source),
        "seconds": seconds,
        "megabytes": megabytes,
        "table_megabytes": sum(array.nbytes for array in counts.arrays().values()) / 1e6,
        "label_maps_per_second": len(source) / seconds["counting"],
        "decoded_per_second": limit,
    }


def _decode_all(paths):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda path: Image.open(path).load() and None, paths))


def _memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) * 1024 / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-maps", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--size", type=int, nargs=2, default=[256, 256], help="Height and width of the label maps.")
    parser.add_argument("--output", type=Path, help="JSON file to write.")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder is not None:  # one measurement, in a process of its own
        print(json.dumps(measure(arguments.folder)))
        return
    results = []
    print(
        "| label maps | listing s | counting s | label maps/s | of the decoding limit | from the cache s "
        "| listing MB | pass MB | table MB |\n|---|---|---|---|---|---|---|---|---|"
    )
    for number in arguments.label_maps:
        with tempfile.TemporaryDirectory() as root:
            write_label_maps(Path(root) / "labels", number, tuple(arguments.size))
            command = [sys.executable, "-m", "benchmarks.class_statistics", "--folder", f"{root}/labels"]
            result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
        results.append(result)
        seconds, megabytes = result["seconds"], result["megabytes"]
        share = result["label_maps_per_second"] / result["decoded_per_second"]
        print(
            f"| {number} | {seconds['listing']:.2f} | {seconds['counting']:.1f} | {result['label_maps_per_second']:.0f} "
            f"| {100 * share:.0f} % | {seconds['reading the cache']:.2f} | {megabytes['listed'] - megabytes['imported']:.0f} "
            f"| {megabytes['peak'] - megabytes['listed']:.0f} | {result['table_megabytes']:.1f} |",
            flush=True,
        )
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
