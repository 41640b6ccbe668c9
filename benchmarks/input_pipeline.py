"""Images per second of the input pipeline: with and without the rare-class sampler; from files, against decoding alone."""

import argparse
import functools
import io
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

import keras_semisis as ks
from keras_semisis.data.pictures import resizing
from keras_semisis.data.stream import prepared_items
from keras_semisis.data.stream.optional_tensorflow import optional_tensorflow

_FAR = 10**9
_SAMPLERS = ("uniform", "rare_classes")
_SIZES = ((256, 512), (256, 256))


def measure(source, image_size, batch_size, rounds: int = 15, batches: int = 64) -> dict[str, float]:
    """Rates with the uniform and the rare-class sampler, and what the latter costs.

    What the sampler costs is a thousandth of the whole or so, less than two measurements of the whole differ: it
    is the time that drawing the indices takes, more than uniformly, as a share of the whole's.
    """
    streams = {}
    for sampler in _SAMPLERS:
        data = ks.data.paired_dataset(source, image_size, batch_size, sampler=sampler)
        # of so long a training, every step that is taken lies in the first half
        streams[sampler] = iter(data.stream(0, _FAR))
        _decode(data)
        _seconds(streams[sampler], batches)
    seconds = {sampler: [] for sampler in _SAMPLERS}
    for i in range(rounds):
        for sampler in _SAMPLERS[:: 1 if i % 2 else -1]:
            seconds[sampler].append(_seconds(streams[sampler], batches))
    an_image = {sampler: float(np.median(taken)) / (batches * batch_size) for sampler, taken in seconds.items()}
    draws = {sampler: _seconds_per_draw(data, sampler, batch_size) for sampler in _SAMPLERS}
    return {f"{sampler}_images_per_second": 1 / taken for sampler, taken in an_image.items()} | {
        "uniform_seconds_per_draw": draws["uniform"],
        "rare_classes_seconds_per_draw": draws["rare_classes"],
        "sampler_cost": (draws["rare_classes"] - draws["uniform"]) / an_image["uniform"],
    }


def _decode(data):
    """Every item once: those that the sampler seldom takes would be decoded while it is measured."""
    for lane in data._lanes:
        for index in range(len(lane.items)):
            lane.items.get(index)


def _seconds(stream, batches):
    begin = time.perf_counter()
    for _ in itertools.islice(stream, batches):
        pass
    return time.perf_counter() - begin


def _seconds_per_draw(data, sampler, batch_size, chunk: int = 4096, rounds: int = 15) -> float:
    """Of the indices alone, drawn as the pipeline draws them with this backend."""
    lane, rare, tf = data._lanes[0], sampler == "rare_classes", optional_tensorflow()
    numbers = [_FAR + i * chunk + np.arange(chunk) for i in range(rounds + 1)]
    if tf is None:
        drawn = (lane.indices(part, rare) for part in numbers)
    else:
        parts = tf.data.Dataset.from_tensor_slices(np.stack(numbers).reshape(rounds + 1, -1, batch_size))
        drawn = iter(lane.index_dataset(tf, parts, rare))
    next(drawn)
    return statistics.median(_seconds(drawn, 1) for _ in range(rounds)) / chunk


def write_folder(photos: ks.data.Source, size: tuple[int, int], number: int, root: Path) -> None:
    """``number`` JPEG photos and PNG label maps of a size, in turn those of a source."""
    for kind in ("images", "labels"):
        (root / kind).mkdir()
    for i in range(number):
        paths = root / "images" / f"{i:05d}.jpg", root / "labels" / f"{i:05d}.png"
        if i >= len(photos):
            for path in paths:
                os.link(path.with_stem(f"{i % len(photos):05d}"), path)
            continue
        image, label_map = photos.load(i)
        Image.fromarray(resizing.resize_image(image, size)).save(paths[0], quality=90)
        Image.fromarray(resizing.resize_label_map(label_map, size).astype(np.uint8)).save(paths[1])


def compare_with_decoding(
    photos: ks.data.Source, size: tuple[int, int], batch_size: int = 8, number: int = 192, rounds: int = 7
) -> dict[str, float]:
    """Pairs per second from a folder and from packed records, and of decoding the same bytes by all cores alone.

    The three take turns, and what is compared are medians over the rounds, since other programs may disturb. They disturb
    less what one thread needs of a processor to decode a batch and to load it whole: the mean of the better half.
    """
    prepared_items.MEMORY_LIMIT = 0  # nothing that is decoded stays
    with tempfile.TemporaryDirectory() as root:
        write_folder(photos, size, number, Path(root))
        folder = ks.data.Folder(root, label_space=photos.label_space)
        ks.data.write_records(folder, Path(root) / "packed", items_per_shard=64)
        sources = {"folder": folder, "records": ks.data.Records(Path(root) / "packed")}
        data = {name: ks.data.paired_dataset(source, size, batch_size) for name, source in sources.items()}
        encoded = [data for i in range(number) for data in (folder.image_bytes(i), folder.label_map_bytes(i))]
        # in tasks of a batch, so that handing them out costs next to nothing
        tasks = [encoded[i : i + 2 * batch_size] for i in range(0, len(encoded), 2 * batch_size)]
        result = {"bytes_of_a_pair": sum(map(len, encoded)) / number}
        result |= _processor_times(tasks, data, rounds) | _rates(tasks, data, number, rounds)
    return {name: float(value) for name, value in result.items()}


def _processor_times(tasks, data, rounds):
    turns = {"limit": lambda step: _decode_all(tasks[step % len(tasks)])}
    turns |= {name: batches.load_step for name, batches in data.items()}
    taken = {name: [] for name in turns}
    for step in range(6 * rounds):
        for name, turn in turns.items():
            begin = time.thread_time()
            turn(step)
            taken[name].append((time.thread_time() - begin) * 2 / len(tasks[0]))
    least = {name: np.mean(np.sort(seconds)[: max(1, len(seconds) // 2)]) for name, seconds in taken.items()}
    return {f"{name}_processor_seconds": seconds for name, seconds in least.items()} | {
        f"{name}_processor_share": least["limit"] / least[name] for name in data
    }


def _rates(tasks, data, number, rounds):
    def seconds_of(batches):
        stream = _batches(batches)  # a new one: none fetches ahead while another turn is timed
        _seconds(stream, 8)
        return _seconds(stream, len(tasks))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        turns = {"limit": lambda: _seconds(pool.map(_decode_all, tasks), len(tasks))}
        turns |= {name: functools.partial(seconds_of, batches) for name, batches in data.items()}
        taken = {name: [] for name in turns}
        for _ in range(rounds):
            for name, turn in turns.items():
                taken[name].append(turn() / number)
    return {f"{name}_pairs_per_second": 1 / np.median(seconds) for name, seconds in taken.items()} | {
        f"{name}_share": np.median(np.array(taken["limit"]) / taken[name]) for name in data
    }


def _batches(data):
    stream = data.stream(0, _FAR)
    return iter(stream) if optional_tensorflow() else (stream[step] for step in itertools.count())


def _decode_all(encoded):
    for data in encoded:
        Image.open(io.BytesIO(data)).load()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="Photos to use, as --data of keras-semisis train; by default synthetic scenes.")
    parser.add_argument("--id-map", nargs="*", default=[], help="As that of keras-semisis train.")
    parser.add_argument("--without-tensorflow", action="store_true", help="Measure the pipeline that needs no TensorFlow.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, help="JSON file to write.")
    arguments = parser.parse_args()
    if arguments.without_tensorflow:
        sys.modules["tensorflow"] = None

    results = {}
    print(
        "| size | decoding alone: pairs/s | ms of a core | from a folder: pairs/s | of the limit | by processor time "
        "| from records: pairs/s | of the limit | by processor time |\n|---|---|---|---|---|---|---|---|---|"
    )
    for size in _SIZES:
        photos = ks.recipes.open_data(arguments.data or "synthetic:64", size, id_map=tuple(arguments.id_map)).train
        result = results[f"{size[0]}x{size[1]}"] = compare_with_decoding(photos, size, rounds=arguments.rounds)
        cells = [f"{result['limit_pairs_per_second']:.0f} | {1000 * result['limit_processor_seconds']:.2f}"]
        cells += [
            f"{result[f'{name}_pairs_per_second']:.0f} | {100 * result[f'{name}_share']:.0f} % "
            f"| {100 * result[f'{name}_processor_share']:.0f} %"
            for name in ("folder", "records")
        ]
        print(f"| {size[0]}×{size[1]} | {' | '.join(cells)} |", flush=True)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
