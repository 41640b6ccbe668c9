"""Photos from a published OASIS checkpoint: `python examples/import_checkpoint.py [WEIGHTS] [--label-maps FOLDER]`.

WEIGHTS is the generator's `.pth` file of the PyTorch program (`latest_EMA.pth` or the like); PyTorch is not needed. Without
one, a checkpoint with random weights is made on the spot, to show the way. The label maps are PNG files of the ids that the
data set stores; without them, synthetic ones are taken.
"""

import argparse
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras
import numpy as np
from PIL import Image

from keras_semisis.checkpoints.files import read_weights

parser = argparse.ArgumentParser()
parser.add_argument("weights", nargs="?", type=Path)
parser.add_argument("--label-maps", type=Path)
parser.add_argument("--image-size", type=int, nargs=2, default=(128, 192), metavar=("HEIGHT", "WIDTH"))
parser.add_argument("--noise-channels", type=int, default=64)
parser.add_argument("--output", type=Path, default=Path("runs/import_checkpoint"))
arguments = parser.parse_args()
size, noise_channels = tuple(arguments.image_size), arguments.noise_channels
arguments.output.mkdir(parents=True, exist_ok=True)


def make_checkpoint(path: Path) -> Path:
    """A file like a published one: an untrained generator whose spectral norms have been used a little."""
    keras.utils.set_random_seed(0)
    generator = ks.models.oasis_generator(9, size, base_channels=8, noise_channels=noise_channels)
    label_maps = keras.random.randint((2, *size), 0, 9)
    for _ in range(3):
        generator([label_maps, keras.random.normal((2, noise_channels))], training=True)
    ks.checkpoints.save_reference_weights(generator, path, family="oasis")
    return path


def read_label_maps(num_classes: int) -> np.ndarray:
    """Four label maps at the generator's size."""
    if arguments.label_maps:
        space = ks.checkpoints.published_label_space("oasis", num_classes)  # None of a data set that is not a published one
        space = space or ks.data.LabelSpace(range(num_classes), [(0, 0, 0)] * num_classes)
        label_maps = [space.read(file) for file in sorted(arguments.label_maps.glob("*.png"))[:4]]
        return np.stack(
            [
                np.array(Image.fromarray(label_map.astype("int32")).resize(size[::-1], Image.Resampling.NEAREST))
                for label_map in label_maps
            ]
        )
    scenes = ks.data.SyntheticScenes(num_scenes=4, image_size=size)
    return np.stack([scenes.load(i)[1] for i in range(4)]) % num_classes


# the sizes of the network show in its weights
weights = read_weights(arguments.weights or make_checkpoint(arguments.output / "oasis.safetensors"))
shapes = {name.removeprefix("module."): array.shape for name, array in weights.items()}
num_classes = shapes["fc.weight"][1] - noise_channels
generator = ks.models.oasis_generator(
    num_classes, size, base_channels=shapes["conv_img.weight"][1], noise_channels=noise_channels
)
ks.checkpoints.load_reference_weights(generator, weights, family="oasis")

label_maps = read_label_maps(num_classes)
noises = [np.random.default_rng(seed).standard_normal((len(label_maps), noise_channels)) for seed in range(3)]
photos = [
    np.clip((generator.predict([label_maps, noise.astype("float32")], verbose=0) + 1) * 127.5, 0, 255) for noise in noises
]
colors = np.random.default_rng(1).integers(0, 256, (num_classes, 3))
columns = [colors[label_maps], *photos]  # label map, then one photo for each noise
grid = np.concatenate([np.concatenate(list(column), axis=0) for column in columns], axis=1)
Image.fromarray(grid.astype("uint8")).save(arguments.output / "grid.png")
generator.save(arguments.output / "generator.keras")
print(f"{num_classes} classes, {generator.count_params():,} parameters; photos in {arguments.output / 'grid.png'}")
