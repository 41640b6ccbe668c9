"""Draws pictures of these pages again, and measures what they say of them: `python docs/pictures/draw.py PICTURE`."""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import keras_semisis as ks

FOLDER, ENLARGED, GAP = Path(__file__).parent, 2, 4


def write(name: str, rows: list[list[np.ndarray]]) -> None:
    """Pictures of one size, uint8 ``(H, W, 3)``, side by side and in rows."""
    height, width = (ENLARGED * side for side in rows[0][0].shape[:2])
    sheet = Image.new("RGB", (len(rows[0]) * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP), "white")
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            enlarged = Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(enlarged, (j * (width + GAP), i * (height + GAP)))
    sheet.save(FOLDER / f"{name}.jpg", quality=85)


def signed(photo: np.ndarray) -> np.ndarray:
    """A photo as metrics take it."""
    return photo[None].astype("float32") / 127.5 - 1


def invert(scenes: int) -> None:
    """The built-in model and scenes that it has not seen, of which two are shown.

    Photo, image of the first noise and of the noise that was found, the label map without cars, and its image by that noise:
    as it is, and with other noise where the label map has changed.
    """
    street, source = ks.from_preset("street"), ks.data.SyntheticScenes(scenes, "val", (64, 96))
    names, colors, judge = source.label_space.class_names, source.label_space.colorize, ks.metrics.LPIPS()
    rows, measured = [], []
    for i in range(scenes):
        photo, label_map = source.load(i)
        found = street.invert(photo, label_map)
        first = street.generate(label_map, noise=street.noise_of_seed(0)[0])
        of_judge = [judge.distances(signed(photo), signed(each)).item() for each in (first, found.photo)]
        of_pixels = [np.sqrt(np.square(photo.astype(float) - each).mean()) for each in (first, found.photo)]
        measured.append([found.before, found.after, *of_judge, *of_pixels])
        print(f"scene {i}: " + ", ".join(f"{number:.3f}" for number in measured[-1]), flush=True)
        edited = np.where(label_map == names.index("car"), names.index("road"), label_map)
        kept = street.generate(edited, noise=found.noise)
        anew = street.generate(edited, noise=found.noise, resample=[(edited != label_map, 0)])
        rows.append([photo, first, found.photo, colors(edited), kept, anew])
    titles = ("LPIPS of VGG16", "after", "LPIPS of AlexNet", "after", "root of the mean squared gray levels", "after")
    for title, column in zip(titles, zip(*measured, strict=True), strict=True):
        print(f"{title}: mean {np.mean(column):.3f}, from {min(column):.3f} to {max(column):.3f}")
    write("invert", rows[2:4])


def adapt(scenes: int) -> None:
    """The built-in model with classes of one's own, before any training: label map, photo, photo of another affinity."""
    street, source = ks.from_preset("street"), ks.data.SyntheticScenes(scenes, "val", (64, 96))
    space = ks.data.LabelSpace(
        ("sky", "houses", "ground", "hedge", "other"),
        ((120, 180, 255), (150, 90, 60), (130, 130, 130), (40, 120, 40), (0, 0, 0)),
        ignore_class=4,
    )
    own = {"sky": 0, "building": 1, "road": 2, "sidewalk": 2, "lane marking": 2, "vegetation": 3}
    classes = np.array([own.get(name, 4) for name in source.label_space.class_names])
    said = "houses: building; ground: {}; hedge: vegetation 0.8, building 0.2; other: car"
    models = [ks.adapt(street, space, said.format(mixture)) for mixture in ("road", "sidewalk 0.5, vegetation 0.5")]
    rows = []
    for i in range(2, 5):
        label_map = classes[source.load_label_map(i)]
        rows.append([space.colorize(label_map), *(model.generate(label_map, seed=0) for model in models)])
    write("adapt", rows)


def augment(_: int) -> None:
    """Photos of the built-in model in a data set, with their label maps: two of each."""
    source = ks.data.SyntheticScenes(3, "val", (64, 96))
    with tempfile.TemporaryDirectory() as folder:
        ks.recipes.augment(ks.from_preset("street"), source, folder, 2, sampler="uniform", filter=False)
        written = ks.data.Folder(folder)
        rows = [[source.label_space.colorize(written.load(i)[1]) for i in range(0, 6, 2)]]
        rows += [[written.load(i + part)[0] for i in range(0, 6, 2)] for part in range(2)]
    write("augment", rows)


def snap(_: int) -> None:
    """A label map that was drawn with smooth edges, and what is read of it: a part of it."""
    source = ks.data.SyntheticScenes(3, "val", (192, 288))
    space, part = source.label_space, (slice(70, 134), slice(150, 246))
    drawn = Image.fromarray(space.colorize(source.load_label_map(2)))
    with tempfile.TemporaryDirectory() as folder:
        smooth = drawn.transform(drawn.size, Image.Transform.AFFINE, (1, 0, 0.4, 0, 1, 0.4), Image.Resampling.BILINEAR)
        smooth.save(Path(folder) / "smooth.png")
        read = space.with_snap(300).read(Path(folder) / "smooth.png")
    write("snap", [[np.asarray(smooth)[part], space.colorize(read)[part]]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", choices=("invert", "adapt", "augment", "snap"))
    parser.add_argument("--scenes", type=int, default=12, help="of which invert measures the noise")
    arguments = parser.parse_args()
    {"invert": invert, "adapt": adapt, "augment": augment, "snap": snap}[arguments.picture](arguments.scenes)
