"""What `generate` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import option, same_as
from keras_semisis.options.text import SIZE, SIZE_OR_OWN
from keras_semisis.options.train import TrainSettings


@dataclass(kw_only=True)
class GenerateOptions:
    """Every option of `generate`."""

    model: str = same_as(EvaluateOptions, "model")
    label_maps: tuple[Path, ...] = option(
        (), help="Label maps as PNG files, or folders of them. By default those that lie beside a preset.", argument=True
    )
    output: Path = option(Path("generated"), "Folder of the photos.")
    seed: int = same_as(TrainSettings, "seed")
    samples: int = option(1, "Photos for each label map.", min=1)
    image_size: tuple[int, int] | str | None = option(
        None,
        "Height x width that label maps are resized to and drawn at, or own: each as large as it is. By default the "
        "model's size.",
        form=SIZE_OR_OWN,
    )
    tile_size: tuple[int, int] | None = option(
        None, "Height x width of tiles that overlap, for photos that do not fit into memory.", form=SIZE
    )
    overlap: int | None = option(
        None, "Pixels that neighboring tiles share; by default as many as make the photo that of the whole label map.", min=0
    )
    instances: Path | None = option(
        None,
        "Of a model that reads edges between instances: the folder of the label maps' instance maps, or the file of one; by "
        "default a folder instances beside that of the label maps.",
    )
    style: tuple[Path, ...] = option(
        (),
        "A photo in whose style to draw, or a folder of photos; repeatable. Each label map is drawn in each style, and "
        "styles.png shows all of them.",
    )
    encoder: Path | None = option(None, "Of an imported generator: its encoder of styles, a .keras file of import.")
    resample: tuple[str, ...] = option(
        (),
        "REGION=SEED: there the noise of another seed, the rest as near to what it was as the network allows. A region is a "
        "class by its name or id, or a mask: an image file that is not 0 there.",
    )
    interpolate: tuple[int, int] | None = option(
        None, "Two seeds: of each label map --frames photos, from the noise of the one to that of the other."
    )
    frames: int = option(16, "Photos between two seeds.", min=2)
    noise: Path | None = option(
        None,
        "A .npz file of invert, by whose noise every label map is drawn, in place of the seed's; at the size of the photo that "
        "it was found for, if --image-size names no other.",
    )
    one_noise: bool = option(
        False, "Every label map has the same noise, as for the frames of a film. What changes where label maps do not is told."
    )
    video: str | None = option(
        None, "gif, or mp4 (by the program ffmpeg): a film of the photos of --interpolate or --one-noise as well."
    )
    id_map: tuple[str, ...] = same_as(DataOptions, "id_map")
    snap: float | None = same_as(DataOptions, "snap")
    devices: str | None = same_as(EvaluateOptions, "devices")
    fit: str | None = same_as(EvaluateOptions, "fit")
