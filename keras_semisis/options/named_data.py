"""Which data."""

from dataclasses import dataclass

from keras_semisis.options.option import DATA, option


@dataclass(kw_only=True)
class NamedData:
    """The data."""

    data: str = option(
        help="Photos and label maps: cityscapes:PATH, ade20k:PATH, coco_stuff:PATH, camvid:PATH, tfds:NAME, hf:NAME, "
        "folder:PATH (images/ and labels/ in it), records:PATH (of pack) or synthetic.",
        panel=DATA,
        names="data",
    )
    validation_data: str | None = option(
        None,
        "folder:PATH, records:PATH, hf:NAME or tfds:NAME to validate with. Otherwise the data's own validation "
        "split, or every tenth pair of a folder.",
        DATA,
        names="data",
    )
