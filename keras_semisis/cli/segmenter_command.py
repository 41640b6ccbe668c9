"""`keras-semisis train-segmenter`."""

from contextlib import closing
from pathlib import Path

import keras

from keras_semisis import models
from keras_semisis.callbacks.model_file import save_model
from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import ProgressBar
from keras_semisis.cli.segmenter import train_segmenter
from keras_semisis.cli.sources import open_data
from keras_semisis.data import BadFiles, paired_dataset
from keras_semisis.data.bad_files import good_items
from keras_semisis.metrics import GeneratedMeanIoU
from keras_semisis.recipes.settings import USUAL_LAYOUT, Layout, check_fit, check_precision
from keras_semisis.whole_file import check_writable

NETWORKS = ("unet", "efficientnet_lite0")


def run(
    data: str,
    output: Path,
    network: str,
    image_size: tuple[int, int],
    batch_size: int,
    steps: int,
    channels: tuple[int, ...],
    final_channels: int,
    learning_rate: float,
    precision: str,
    seed: int,
    ignore_class: int | None,
    id_map: tuple[str, ...],
    skip_bad: int = 0,
    image_range: tuple[float, float] | None = None,
    layout: Layout = USUAL_LAYOUT,
    fit: str | None = None,
) -> None:
    """Trains on all training pairs, prints the mIoU of validation photos, and writes the segmenter."""
    if output.suffix != ".keras":
        raise ValueError(f"--output {output}: the file name must end in .keras.")
    if network not in NETWORKS:
        raise ValueError(f"--network {network}: expected {' or '.join(NETWORKS)}.")
    check_fit(fit)
    check_precision(precision)
    check_writable(output)
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)
    bad = BadFiles(skip_bad)
    train, val = open_data(data, image_size, ignore_class, id_map, skip_bad=bad, image_range=image_range, layout=layout)
    val = good_items(val, bad)
    dataset = paired_dataset(train, image_size, batch_size, seed=seed, skip_bad=bad, fit=fit)
    classes = train.label_space.num_classes
    segmenter = (
        models.unet_segmenter(classes, image_size, channels, final_channels)
        if network == "unet"
        else models.efficientnet_lite0_segmenter(classes, image_size)
    )
    with closing(ProgressBar("Segmenter", steps)) as bar:
        train_segmenter(segmenter, dataset, steps, learning_rate, [bar])
    save_model(segmenter, output)
    judge = GeneratedMeanIoU(segmenter, train.label_space.ignore_class, train.label_space.num_classes)
    for image, label_map in paired_dataset(val, image_size, batch_size, training=False, fit=fit):
        judge.update_state(label_map, image, image)
    print_report(bad)
    console.print(f"mIoU {judge.result()['miou']:.4f} on {len(val)} validation photos. Written to {output}", soft_wrap=True)
