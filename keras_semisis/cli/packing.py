"""`keras-semisis pack`: a data set as packed records."""

from pathlib import Path

from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import counting
from keras_semisis.cli.sources import open_data
from keras_semisis.data import BadFiles, write_records
from keras_semisis.data.bad_files import good_items
from keras_semisis.recipes.settings import USUAL_LAYOUT, Layout


def pack(
    data: str,
    output: Path,
    validation_data: str | None,
    image_size: tuple[int, int],
    ignore_class: int | None,
    id_map: tuple[str, ...],
    skip_bad: int = 0,
    image_range: tuple[float, float] | None = None,
    layout: Layout = USUAL_LAYOUT,
) -> None:
    """Writes the packs ``train`` and ``val``, split as a training on the data itself would split it.

    Args:
        data, validation_data, image_size, ignore_class, id_map, layout: As `open_data` takes them.
        output: The folder of both packs.
        image_range: As `open_data` takes it; photos are packed in the 8 bits that it makes of them.
        skip_bad: Number of items of both that may be bad: they are left out and listed.

    Raises:
        DataError: If the data cannot be read, or more items are bad.
        FileExistsError: If there is something else at ``output``.
    """
    bad = BadFiles(skip_bad)
    pair = open_data(data, image_size, ignore_class, id_map, validation_data, bad, image_range, layout=layout)
    for split, source in zip(("train", "val"), pair, strict=True):
        with counting(f"Checking {split}") as progress:
            source = good_items(source, bad, progress=progress)
        for name, images in (("unpaired_images", True), ("unpaired_labels", False)):
            if getattr(source, name) is not None:
                setattr(source, name, good_items(getattr(source, name), bad, images))
        with counting(f"Packing {split}") as progress:
            write_records(source, output / split, progress=progress)
        further = "".join(
            f", {len(part)} {what}"
            for part, what in ((source.unpaired_images, "unpaired photos"), (source.unpaired_labels, "unpaired label maps"))
            if part is not None
        )
        console.print(f"{output / split}: {len(source)} items{further}", soft_wrap=True, highlight=False)
    print_report(bad)
    console.print(f"Train with --data records:{output}", soft_wrap=True, highlight=False)
