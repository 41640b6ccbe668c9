"""What `import` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.option import option
from keras_semisis.options.text import SIZE


@dataclass(kw_only=True)
class ImportOptions:
    """Every option of `import`."""

    weights: tuple[Path, ...] = option(
        help="A published checkpoint: .pth, .safetensors or .npz. Several files where it has several, as upernet_101's "
        "encoder and decoder.",
        argument=True,
    )
    network: str = option(help="The network that it is of, such as oasis_generator: a builder of keras_semisis.models.")
    output: Path = option(help="The .keras file that is written.")
    num_classes: int | None = option(None, "Number of labels, the don't-care one included.", min=1)
    image_size: tuple[int, int] | None = option(None, "Height x width, such as 256x512.", form=SIZE)
    option: tuple[str, ...] = option((), "Another argument of the builder, such as base_channels=32. Repeatable.")
