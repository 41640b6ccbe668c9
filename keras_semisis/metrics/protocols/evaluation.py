"""A generator's scores under a protocol, with everything that they depend on."""

import hashlib
import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_semisis.data import DataError, Source, paired_dataset
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.remedy import Remedy
from keras_semisis.gans import Sampler
from keras_semisis.gans.batch_statistics import batch_norms
from keras_semisis.gans.validation import check_score_names, joined_scores
from keras_semisis.metrics.diversity import Diversity
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.frechet import without_covariance
from keras_semisis.metrics.generation_metric import GenerationMetric, split_scores
from keras_semisis.metrics.lpips import LPIPS
from keras_semisis.metrics.protocols.inception import is_fid_inception, without_inception
from keras_semisis.metrics.protocols.protocol import Protocol, get_protocol
from keras_semisis.metrics.protocols.protocol_features import ProtocolFeatures, feature_scores
from keras_semisis.metrics.protocols.provenance import network_fingerprint, versions, weights_sha256
from keras_semisis.metrics.protocols.real_images import RealImages, label_batches
from keras_semisis.metrics.protocols.rule_scores import RuleScores
from keras_semisis.metrics.protocols.statistics_cache import StatisticsCache
from keras_semisis.metrics.table import METRICS
from keras_semisis.models.trunk_families import refuse_relatives


def evaluate_protocol(
    gan: Sampler,
    source: Source,
    protocol: str | Protocol = "native",
    *,
    features: Callable[[Any], Any] | None = None,
    segmenter: Callable[[Any], Any] | None = None,
    perceptual: keras.Model | LPIPS | None = None,
    metrics: Sequence[GenerationMetric] = (),
    train: Source | None = None,
    image_size: tuple[int, int] | None = None,
    seed: int = 0,
    batch_size: int = 8,
    cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Scores a generator under a named protocol, beside the scores of real images.

    What is measured depends on what is given: the Fréchet distance (``fid`` where the protocol fixes the network), kernel
    distance with its standard error, precision and recall need ``features``; mean IoU, frequency-weighted IoU, pixel accuracy
    and the table of classes need ``segmenter``; diversity needs ``perceptual``; further ``metrics`` see the images as they
    are. What is missing is named in the result, with the reason. The model is left as it was.

    Args:
        gan: The model; its moving-average generator is scored.
        source: Validation photos with their label maps, of the model's classes.
        protocol: ``"oasis2021"``, ``"clean"``, ``"native"``, or a `Protocol`.
        features: keras.Model or callable from images (B, H, W, 3) in [-1, 1] to features (B, D). The protocols
            ``"oasis2021"`` and ``"clean"`` take `load_fid_inception` alone.
        segmenter: keras.Model or callable from images (B, H, W, 3) in [-1, 1] to logits (B, h, w, C). C is the number of the
            label maps' classes, or 19 for the 35 ids of Cityscapes, 150 for the 151 of ADE20K, 182 for the 183 of COCO-Stuff.
            Of a function or a subclassed model C must be the number of the label maps' classes.
        perceptual: `LPIPS` or a feature model, of the diversity score; see `Diversity`.
        metrics: Further metrics, without images so far. Their scores join the others, those that end in ``_real`` without it
            in ``real``; the protocol says nothing about them.
        train: Training photos with their label maps: for the distances of real images, and for batch-norm statistics where the
            protocol has them re-estimated.
        image_size: ``(height, width)`` at which photos and label maps are read and images are generated; None is that of the
            model. Batch-norm statistics are re-estimated at the model's.
        seed: Seed of the noise: that of label map i depends on it and i alone. Also of the kernel distance's subsets.
        batch_size: Label maps at once; also the size of the batches of re-estimated statistics.
        cache: Folder in which the statistics of real images are kept, by a fingerprint of data, protocol and networks; None for
            nowhere. A source without fingerprints is not cached, nor is a network that is no functional or sequential
            keras.Model.
        progress: Called with (batches done, batches in all).

    Returns:
        What a result file holds, ready for JSON: ``protocol`` (name, version, sha256, definition), ``counts``, ``weights``
        (SHA-256 of the generator as it is stored, features, segmenter and perceptual network), ``labels`` (map and ignore
        rule), ``data``, ``generator``, ``seed``, ``batch_size``, ``image_size``, ``versions``; the scores in ``generated`` and
        ``real``; ``per_class``; ``not_measured``; ``notes``.

    Raises:
        ValueError: If nothing can be measured; two metrics, of which one may be the protocol's, give a score of one name; a
            network is of a family that the model was trained with (its ``trunks``); a
            network, the classes, the don't-care class or the training photos do not fit;
            or the generator or a network returns what is no number.
        DataError: As the sources raise it; or if names or order of the classes are others than the model's.

    Example:

    >>> from keras_semisis import OASIS, data, models
    >>> scenes = data.SyntheticScenes(num_scenes=6, image_size=(32, 32))
    >>> gan = OASIS(11, (32, 32), generator=models.oasis_generator(11, (32, 32), 1, 4, hidden_channels=4),
    ...             discriminator=models.oasis_discriminator(11, (32, 32), (4, 4), 4))
    >>> result = evaluate_protocol(gan, scenes, features=lambda images: images.mean(axis=(1, 2)))
    >>> result["protocol"]["name"], sorted(result["generated"])
    ('native', ['frechet', 'kid', 'kid_se', 'kid_std', 'precision', 'recall'])
    """
    protocol = get_protocol(protocol)
    _check(gan, source, protocol, features, segmenter, perceptual, metrics, train, batch_size)
    size, count = image_size or gan.image_size, len(source)
    weights = {
        "generator": weights_sha256(gan.ema_generator),
        "features": weights_sha256(features),
        "segmenter": weights_sha256(segmenter),
        "perceptual": weights_sha256(_feature_model(perceptual)),
    }
    with_noise = bool(gan.noise_channels)
    by_features = by_training = by_segmenter = None
    # metrics of one image a label map, and of several, with what the states of their photos depend on
    single: dict[GenerationMetric, str | None] = {metric: None for metric in metrics if metric.draws == 1}
    several: dict[GenerationMetric, str | None] = {metric: None for metric in metrics if metric.draws > 1 and with_noise}
    baseline = _baseline(train, count) if features is not None else None
    if features is not None:
        seen = ProtocolFeatures(features, protocol)
        by_features = feature_scores(seen, protocol, count, seed)
        single[by_features] = _fingerprint(by_features, features)
    if segmenter is not None:
        by_segmenter = RuleScores(segmenter, protocol, source.label_space, size)
        single[by_segmenter] = _fingerprint(by_segmenter, segmenter)
    if perceptual is not None and with_noise:
        for row in METRICS.values():
            if row.in_protocols and row.needs == "perceptual":
                metric = row.metric.of_protocol(perceptual, protocol, seed)
                (several if metric.draws > 1 else single)[metric] = _fingerprint(metric, _feature_model(perceptual))
    check_score_names([*single, *several])
    chosen = source.subset(_spread(count, protocol.diversity_maps if several else 0))
    draws = max((metric.draws for metric in several), default=protocol.diversity_draws)
    batches_of_all, batches_of_chosen = -(-count // batch_size), -(-len(chosen) // batch_size)
    tick = _Ticks(progress, batches_of_all * (2 + (baseline is not None)) + batches_of_chosen * (draws + 1))

    store = None if cache is None else StatisticsCache(cache)
    real = RealImages(source, size, batch_size, protocol.sha256, store)
    real.read(single, tick)
    tick.reach(batches_of_all)
    if baseline is not None:
        by_training = feature_scores(seen, protocol, count, seed, fewer=len(baseline) < count)
        photos = RealImages(baseline, size, batch_size, protocol.sha256, store)
        photos.read({by_training: _fingerprint(by_training, features)}, tick)
        tick.reach(2 * batches_of_all)
    RealImages(chosen, size, batch_size, protocol.sha256, store).read(several, tick)
    tick.reach(batches_of_all * (1 + (baseline is not None)) + batches_of_chosen)
    digest = hashlib.sha256()
    with _statistics(gan, protocol, train, batch_size, seed):
        for batch in label_batches(source, size, batch_size, gan.instance_edges):
            digest.update(batch.label_maps.astype(np.int32).tobytes())
            generated = _generated(gan, batch, seed, batch_size)
            for metric in single:
                metric.update_generated(batch.label_maps, generated)
            tick()
        for batch in label_batches(chosen, size, batch_size, gan.instance_edges):
            generated = []
            for draw in range(draws):
                generated.append(_generated(gan, batch, seed + draw, batch_size))
                tick()
            for metric in several:
                metric.update_generated(batch.label_maps, np.stack(generated[: metric.draws]))

    scores = joined_scores(
        metric.compare(metric.real, metric.generated) if metric is by_features else metric.result()
        for metric in (*single, *several)
    )
    generated_scores, real_scores = split_scores({name: value for name, value in scores.items() if math.isfinite(value)})
    if by_training is not None and by_features is not None:
        real_scores |= by_training.compare(by_features.real, by_training.real)
    return {
        "protocol": {
            "name": protocol.name,
            "version": protocol.version,
            "sha256": protocol.sha256,
            "definition": protocol.definition,
        },
        "generated": generated_scores,
        "real": real_scores,
        "not_measured": _not_measured(gan, source, features, segmenter, perceptual, metrics, train, baseline, by_features),
        "notes": [] if by_features is None else _notes(by_features.real),
        "per_class": [] if by_segmenter is None else by_segmenter.table(),
        "counts": {
            "real": count,
            "generated": count,
            "training": 0 if baseline is None else len(baseline),
            "diversity_label_maps": len(chosen),
            "diversity_draws": draws if len(chosen) else 0,
        },
        "weights": weights,
        "labels": None if by_segmenter is None else by_segmenter.labels(),
        "generator": {
            "noise_channels": gan.noise_channels,
            "images": "one draw of noise for each label map, moving average",
            "statistics_batches": protocol.statistics_batches if _has_batch_norm(gan) else None,
        },
        "data": {
            "source": type(source).__name__,
            "num_classes": source.label_space.num_classes,
            "label_maps_sha256": digest.hexdigest(),
            "images_sha256": real.images_sha256,
            "fingerprint": real.fingerprint,
        },
        "seed": seed,
        "batch_size": batch_size,
        "image_size": list(size),
        "versions": versions(),
    }


def _check(gan, source, protocol, features, segmenter, perceptual, metrics, train, batch_size):
    if batch_size < 1:
        raise ArgumentError("{}: expected 1 or more.", {"batch_size": batch_size})
    if features is None and segmenter is None and perceptual is None and not metrics:
        raise ValueError("evaluate_protocol: nothing to measure with. Give features=, segmenter=, perceptual= or metrics=.")
    refuse_relatives(
        gan.trunks,
        {
            getattr(network, "name", which): network
            for which, network in (
                ("features=", features),
                ("segmenter=", segmenter),
                ("perceptual=", _feature_model(perceptual)),
            )
        },
    )
    gan.check_judges(metrics)
    if not len(source):
        raise DataError("The source to evaluate on is empty.")
    for which, data in (("data", source), ("training photos", train)):
        if data is not None and (data.label_space is None or data.label_space.num_classes != gan.num_classes):
            found = "no label maps" if data.label_space is None else f"{data.label_space.num_classes} classes"
            raise ValueError(
                f"The model has {gan.num_classes} classes, the {which} {found}. Evaluate it on the data set that "
                "it was trained on."
            )
    if gan.instance_edges and not source.has_instances:
        raise DataError("The model reads edges between instances, and the data have no instance maps.")
    gan.require_same_classes(**{"the data": source, "train=": train, "the segmenter": segmenter})
    # a generator by itself, without the system that trained it, knows of none
    trained_with = getattr(gan, "ignore_class", None)
    if trained_with not in (None, source.label_space.ignore_class):
        found = "none" if source.label_space.ignore_class is None else f"class {source.label_space.ignore_class}"
        raise ArgumentError(
            f"The model was trained with class {trained_with} as don't-care, the data have {found}, and scores depend on it.",
            {},
            Remedy("Open the data with {}.", {"ignore_class": trained_with}),
            Remedy("Or mark the class in classes.csv, or pack them so."),
        )
    if features is not None and protocol.features == "inception_v3_fid" and not is_fid_inception(features):
        raise ArgumentError(f"The protocol {protocol.name!r} fixes the feature network.", {}, *without_inception())
    if features is not None and len(source) < 2:
        raise ArgumentError("A covariance needs at least 2 images, and the data holds 1.", {}, *without_covariance())
    if protocol.statistics_batches and _has_batch_norm(gan) and train is None:
        raise ValueError(
            f"The protocol {protocol.name!r} has the generator's batch-norm statistics re-estimated over "
            f"{protocol.statistics_batches} training batches: give train=, the training photos with label maps."
        )


def _has_batch_norm(gan):
    return bool(batch_norms(gan.ema_generator))


def _spread(count: int, wanted: int) -> np.ndarray:
    """As many indices as wanted, evenly spread; all of them where there are fewer."""
    wanted = min(count, wanted)
    return np.arange(wanted) * count // max(wanted, 1)


def _baseline(train, count):
    if train is None or len(train) < 2:
        return None
    return train.subset(_spread(len(train), count))


def _generated(gan, batch, seed, batch_size):
    images = gan.generate_floats(batch.label_maps, seed, batch_size, batch.first, instances=batch.instances)
    images = np.clip(images, -1.0, 1.0)
    # rounding to 8 bits would make black pixels of them
    if not np.isfinite(images).all():
        raise ValueError(
            "The generator returns values that are not finite: its training has failed, or its file is damaged. "
            "Evaluate an earlier checkpoint."
        )
    return images


def _statistics(gan, protocol, train, batch_size, seed):
    if not protocol.statistics_batches or not _has_batch_norm(gan):
        return nullcontext()
    batches_of_train = paired_dataset(train, gan.image_size, batch_size, seed=seed, instances=gan.instance_edges)
    return gan.statistics_of(batches_of_train, protocol.statistics_batches)


class _Ticks:
    """Counts batches for the caller; what a cache saves is caught up with."""

    def __init__(self, progress, total):
        self.progress = progress
        self.done, self.total = 0, total

    def __call__(self):
        self.reach(self.done + 1)

    def reach(self, done):
        self.done = done
        if self.progress is not None:
            self.progress(done, self.total)


def _feature_model(perceptual):
    return perceptual.feature_model if isinstance(perceptual, LPIPS) else perceptual


def _fingerprint(metric, network):
    """What the state of a metric's photos depends on beside the protocol."""
    network = network_fingerprint(network)
    kept = [metric.kept, metric.with_moments] if isinstance(metric, FeatureMetric) else []
    if isinstance(metric, Diversity):
        kept = [metric.is_lpips]
    return network and f"{metric.name} {kept} {network}"


def _notes(real):
    count, dimension = real.count, real.dimension
    if count > dimension:
        return []
    return [
        (
            f"{count} images are too few for {dimension} features: the covariance is singular, and the Fréchet distance of "
            "equal distributions is far from 0. Compare it with the real images' and at equal counts only; the kernel "
            "distance has no such bias."
        )
    ]


def _not_measured(gan, source, features, segmenter, perceptual, metrics, train, baseline, by_features):
    reasons = {}
    if features is None:
        reasons["fréchet distance, kid, precision, recall"] = "no feature network was given"
    elif "precision" not in by_features.score_names:
        reasons["precision, recall"] = "they need more images than neighbours"
    if features is not None and baseline is None:
        reasons["distances of real images"] = "no training photos were given" if train is None else "too few training photos"
    elif features is not None and len(baseline) < len(source):
        reasons["fréchet distance, precision, recall of real images"] = "fewer training photos than evaluated ones"
    if segmenter is None:
        reasons["miou, fwiou, pixel_accuracy"] = "no segmenter was given"
    if perceptual is None:
        reasons["diversity"] = "no perceptual network was given"
    elif not gan.noise_channels:
        reasons["diversity"] = "the generator takes no noise"
    if not gan.noise_channels:
        reasons |= {metric.name: "the generator takes no noise" for metric in metrics if metric.draws > 1}
    return reasons
