"""`keras-semisis pack`: a data set as packed records."""

from pathlib import Path

from keras_semisis.cli.messages import console
from keras_semisis.cli.progress import counting
from keras_semisis.cli.sources import open_data
from keras_semisis.data import write_records


def pack(data: str, output: Path, validation_data: str | None, image_size: tuple[int, int], ignore_class: int | None,
         id_map: tuple[str, ...]) -> None:
    """Writes the packs ``train`` and ``val``, split as a training on the data itself would split it.

    Args:
        data, validation_data, image_size, ignore_class, id_map: As `open_data` takes them.
        output: The folder of both packs.

    Raises:
        DataError: If the data cannot be read.
        FileExistsError: If there is something else at ``output``.
    """
    pair = open_data(data, image_size, ignore_class, id_map, validation_data)
    for split, source in zip(("train", "val"), pair, strict=True):
        with counting(f"Packing {split}") as progress:
            write_records(source, output / split, progress=progress)
        console.print(f"{output / split}: {len(source)} items", soft_wrap=True, highlight=False)
    console.print(f"Train with --data records:{output}", soft_wrap=True, highlight=False)
