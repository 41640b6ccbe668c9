"""`keras-semisis pack`: a data set as packed records."""

from pathlib import Path

from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import counting
from keras_semisis.cli.sources import open_data
from keras_semisis.data import BadFiles, write_records
from keras_semisis.data.bad_files import good_items


def pack(data: str, output: Path, validation_data: str | None, image_size: tuple[int, int], ignore_class: int | None,
         id_map: tuple[str, ...], skip_bad: int = 0, image_range: tuple[float, float] | None = None) -> None:
    """Writes the packs ``train`` and ``val``, split as a training on the data itself would split it.

    Args:
        data, validation_data, image_size, ignore_class, id_map: As `open_data` takes them.
        output: The folder of both packs.
        image_range: As `open_data` takes it; photos are packed in the 8 bits that it makes of them.
        skip_bad: Number of items of both that may be bad: they are left out and listed.

    Raises:
        DataError: If the data cannot be read, or more items are bad.
        FileExistsError: If there is something else at ``output``.
    """
    bad = BadFiles(skip_bad)
    pair = open_data(data, image_size, ignore_class, id_map, validation_data, bad, image_range)
    for split, source in zip(("train", "val"), pair, strict=True):
        with counting(f"Checking {split}") as progress:
            source = good_items(source, bad, progress=progress)
        with counting(f"Packing {split}") as progress:
            write_records(source, output / split, progress=progress)
        console.print(f"{output / split}: {len(source)} items", soft_wrap=True, highlight=False)
    print_report(bad)
    console.print(f"Train with --data records:{output}", soft_wrap=True, highlight=False)
