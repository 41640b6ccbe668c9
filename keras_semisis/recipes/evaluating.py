"""Scores of a saved model under a named protocol, beside those of real images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from keras_semisis import models
from keras_semisis.data import BadFiles, Source
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.data.sources.fitted_items import FittedItems
from keras_semisis.data.sources.good_items import good_items
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.metrics import LPIPS
from keras_semisis.metrics.protocols import Protocol, evaluate_protocol, get_protocol, load_fid_inception
from keras_semisis.metrics.protocols.inception import is_published_inception, without_inception
from keras_semisis.models.trunk_families import refuse_relatives
from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import option_name
from keras_semisis.recipes import scoring
from keras_semisis.recipes import segmenter as segmentation
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.notices import tell, warn
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.run_folder import options_beside, read_settings, settings_beside, write_document
from keras_semisis.recipes.sources import DataPair, open_settings
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan
from keras_semisis.user_cache import user_cache
from keras_semisis.whole_file import check_writable

FEATURES = ("auto", "inception", "segmenter", "efficientnet_lite0", "efficientnet_lite2", "alexnet", "none")
PERCEPTUAL = ("none", *PERCEPTUAL_NETWORKS, "lpips_alexnet")
_CHOOSE_PHOTOS = ("validation_data", "train_split", "validation_split")


def evaluate(options: EvaluateOptions, bad: BadFiles, progress: Progress = SILENT) -> dict[str, Any]:
    """Evaluates a saved model, and writes its scores as JSON.

    Of the data of the model's run the photos that the run has held out are scored, unless options name others.

    Args:
        options: The model, the data and what judges.
        bad: Takes files that are bad.
        progress: Shows how far it is.

    Returns:
        What the JSON file holds: that of `evaluate_protocol`, and ``settings``.

    Raises:
        ValueError: If an option is none of those that there are, or model, data, protocol and networks do not fit together.
        OSError: If a weight file is missing, a preset cannot be had, or ``output`` cannot be written.
    """
    check_writable(options.output)
    protocol = get_protocol(options.protocol)
    judge = None if options.segmenter is None else open_segmenter(options.segmenter)
    extractor = open_features(options.features, protocol, judge, options.inception)
    distance = open_perceptual(options.perceptual)
    if judge is None and extractor is None and distance is None:
        raise ValueError(
            "Nothing to score with: give --segmenter MODEL.keras (for mIoU and, by its features, the distances), "
            "--features efficientnet_lite0, or --inception FILE."
        )
    use_devices(options.devices)
    gan = load_gan(options.model)
    refuse_relatives(
        _trunks_of_run(gan, options.model),
        {
            network.name: network
            for network in (extractor, judge, getattr(distance, "feature_model", distance))
            if network is not None
        },
    )
    space = label_space_of_model(gan, options.model)
    options, notes = _apart_from_run(options)
    size = options.image_size or gan.image_size
    sources = open_settings(options, bad, size, space)
    for source in sources:
        gan.require_same_classes(**{f"--data {options.data}": source})
    if options.ignore_class is None and sources.val.label_space.ignore_class is None:
        # which name no don't-care class; the model knows it
        sources = DataPair(*(source.with_ignore_class(gan.ignore_class) for source in sources))
    fit = fit_of_model(options.fit, options.model)
    val: Source = good_items(sources.val, bad)
    # photos to train on are read for what is taken from them alone
    train: Source | None = None if extractor is None and not protocol.statistics_batches else good_items(sources.train, bad)
    if fit == "crop":
        val, train = FittedItems(val, size), None if train is None else FittedItems(train, size)
    with progress.counting("Evaluating") as show:
        document = evaluate_protocol(
            gan,
            val,
            protocol,
            features=extractor,
            segmenter=judge,
            perceptual=distance,
            train=train,
            image_size=size,
            seed=options.seed,
            batch_size=options.batch_size,
            cache=options.cache or user_cache(),
            progress=show,
        )
    document["notes"] += notes
    inception = options.inception
    document["settings"] = {
        "model": str(options.model),
        "data": options.data,
        "validation_data": options.validation_data,
        "split": options.validation_split or "val",
        "fit": fit,
        "segmenter": options.segmenter,
        "features": None if extractor is None else extractor.name,
        "perceptual": options.perceptual,
        "inception": None
        if inception is None
        else {"file": str(inception), "published_file": is_published_inception(inception)},
        "bad_files": bad.messages,
    }
    write_document(options.output, document)
    return document


def open_segmenter(name: str) -> keras.Model:
    """``FILE.keras`` or ``segformer:PRESET``.

    Raises:
        ValueError: If there is no such file, or it holds no segmenter.
        ImportError, OSError: As `models.segformer` raises them.
    """
    kind, _, preset = name.partition(":")
    if kind == "segformer" and preset:
        return models.segformer(preset)
    return scoring.read_segmenter(Path(name))


def open_features(
    features: str, protocol: Protocol, segmenter: keras.Model | None, inception: Path | None
) -> keras.Model | None:
    """The feature network that an option, a protocol and the networks at hand lead to; None for none.

    ``"auto"`` is the Inception network where its file is given or the protocol wants it, else the segmenter's own features
    where it has any.

    Raises:
        ValueError: If the option is unknown, or what it needs is not given.
        OSError: If the Inception file is missing.
    """
    require_choice("features", features, FEATURES)
    if features == "auto":
        if inception is not None or protocol.features == "inception_v3_fid":
            features = "inception"
        else:
            features = "segmenter" if segmentation.has_features(segmenter) else "none"
    if features == "inception":
        if inception is None:
            raise ArgumentError(
                f"--protocol {protocol.name} --features {features} needs --inception FILE.", {}, *without_inception()
            )
        return load_fid_inception(inception)
    if features in scoring.IMAGENET_FEATURES:
        return scoring.IMAGENET_FEATURES[features]()
    if features == "segmenter":
        if not segmentation.has_features(segmenter):
            raise ValueError("--features segmenter needs a --segmenter of train-segmenter, whose bottleneck it takes.")
        return segmentation.bottleneck_features(segmenter)
    return None


def open_perceptual(name: str) -> keras.Model | LPIPS | None:
    """The feature network of the diversity score."""
    require_choice("perceptual", name, PERCEPTUAL)
    if name in ("lpips", "lpips_alexnet"):
        return LPIPS("vgg16" if name == "lpips" else "alexnet")
    return None if name == "none" else PERCEPTUAL_NETWORKS[name].build()


def _apart_from_run(options):
    """Options by which nothing is scored that the model's run has trained on, and what is to be noted beside the scores."""
    of_run, where = options_beside(options.model), settings_beside(options.model)
    given = {name: getattr(options, name) for name in _CHOOSE_PHOTOS}
    theirs = {name: of_run.get(name) for name in _CHOOSE_PHOTOS}
    if not _same_data(options.data, of_run.get("data", "")) or given == theirs:
        return options, []
    listed = " ".join(f"{option_name(name)} {value}" for name, value in theirs.items() if value)
    if not any(given.values()):
        note = (
            f"{where} says {listed}, which chooses the photos here too; --validation-data or --validation-split changes that."
        )
        tell(note)
        return replace(options, **theirs), [note]
    # what is named to validate with is apart from the whole split that is trained on
    named = given["validation_data"] or given["validation_split"]
    if named and (given["train_split"] or "train") == (theirs["train_split"] or "train"):
        return options, []
    note = (
        f"{where} says {listed or 'nothing of splits'}: photos that are scored may have been trained on. Leave out "
        f"{' and '.join(option_name(name) for name, value in given.items() if value)} to score what the run has held out."
    )
    warn(note)
    return options, [note]


def _same_data(data, other):
    """Whether two texts name the same data, by whatever path."""
    (kind, path), (other_kind, other_path) = (text.partition("?")[0].partition(":")[::2] for text in (data, other))
    return kind == other_kind and Path(path).resolve() == Path(other_path).resolve()


def _trunks_of_run(gan, model):
    """What the settings beside a model say that its file does not: files older than `trunks` know no perceptual network."""
    settings = settings_beside(model)
    if getattr(gan, "perceptual", None) != "given" or settings is None:
        return {}
    named = PERCEPTUAL_NETWORKS.get(read_settings(settings.parent).perceptual or "")
    return {} if named is None else {"perceptual loss": [named.family]}
