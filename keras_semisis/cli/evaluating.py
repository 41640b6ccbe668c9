"""`keras-semisis evaluate`: scores of a model on the validation photos, beside those of real images."""

from pathlib import Path

from keras_semisis.cli import scoring
from keras_semisis.cli.generating import load_gan
from keras_semisis.cli.messages import console, print_report, scores_table
from keras_semisis.cli.settings import versions, write_document
from keras_semisis.cli.sources import open_data
from keras_semisis.data import BadFiles, paired_dataset


def evaluate(model_path: Path, data: str, validation_data: str | None, segmenter_path: str | None, features: str,
             output: Path, batch_size: int, seed: int, ignore_class: int | None, id_map: tuple[str, ...],
             skip_bad: int = 0) -> dict:
    """Evaluates a saved model, prints a table and writes it as JSON.

    Returns:
        What the JSON file holds: ``settings``, and scores under ``generated`` and ``real``.

    Raises:
        ValueError: If the model and the data differ in their classes, or nothing can be scored.
    """
    gan = load_gan(model_path)
    bad = BadFiles(skip_bad)
    sources = open_data(data, gan.image_size, ignore_class, id_map, validation_data, bad)
    space = sources.val.label_space
    if space.num_classes != gan.num_classes:
        raise ValueError(f"{model_path}: the model has {gan.num_classes} classes, --data {data} has {space.num_classes}. "
                         "Evaluate it on the data set that it was trained on.")
    segmenter = None
    if segmenter_path:
        segmenter = scoring.load_segmenter(segmenter_path, space.num_classes, gan.image_size)
    judges = scoring.make_metrics(segmenter, features, sources.train, gan.image_size, batch_size, bad)
    if not judges:
        raise ValueError("Nothing to score with: give --segmenter MODEL.keras (for mIoU and, by its features, the "
                         "distances), or --features efficientnet_lite0.")
    val = paired_dataset(sources.val, gan.image_size, batch_size, training=False, skip_bad=bad)
    generated, real = scoring.split_scores(gan.evaluate(val, metrics=judges, seed=seed, verbose=0))
    document = {
        "settings": {"model": str(model_path), "data": data, "validation_data": validation_data,
                     "segmenter": segmenter_path, "features": features, "seed": seed,
                     "image_size": gan.image_size, "images": len(sources.val), "bad_files": bad.messages,
                     "versions": versions()},
        "generated": generated, "real": real}
    write_document(output, document)
    console.print(scores_table({"generated": generated, "real images": real}))
    print_report(bad)
    console.print(f"Written to {output}", soft_wrap=True)
    return document
