"""A generator's scores under a protocol, with everything that they depend on."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_semisis.data import DataError, Source, paired_dataset
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.eight_bit import from_8_bit, to_8_bit
from keras_semisis.data.prepared_items import resize_image, resize_label_map
from keras_semisis.data.remedy import Remedy
from keras_semisis.gans import AdversarialModel
from keras_semisis.layers import BatchNorm
from keras_semisis.metrics.diversity import Diversity
from keras_semisis.metrics.features import Features
from keras_semisis.metrics.lpips import LPIPS
from keras_semisis.metrics.miou import GeneratedMeanIoU, iou_from_confusion
from keras_semisis.metrics.protocols.feature_statistics import FeatureStatistics, distances
from keras_semisis.metrics.protocols.inception import WITHOUT_INCEPTION, is_fid_inception
from keras_semisis.metrics.protocols.protocol import Protocol, get_protocol
from keras_semisis.metrics.protocols.provenance import data_fingerprint, network_fingerprint, versions, weights_sha256
from keras_semisis.metrics.protocols.resizing import pillow_bicubic_299
from keras_semisis.metrics.protocols.rule_segmenter import RuleSegmenter, rule_for
from keras_semisis.metrics.protocols.statistics_cache import StatisticsCache
from keras_semisis.metrics.segmentation_scores import segmentation_scores
from keras_semisis.models.trunk_families import refuse_relatives


def evaluate_protocol(gan: AdversarialModel, source: Source, protocol: str | Protocol = "native", *,
                      features: Callable[[Any], Any] | None = None, segmenter: Callable[[Any], Any] | None = None,
                      perceptual: keras.Model | LPIPS | None = None, train: Source | None = None, seed: int = 0,
                      batch_size: int = 8, cache: str | Path | None = None,
                      progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Scores a generator under a named protocol, beside the scores of real images.

    What is measured depends on what is given: the Fréchet distance (``fid`` where the protocol fixes the network), kernel
    distance with its standard error, precision and recall need ``features``; mean IoU, frequency-weighted IoU, pixel accuracy
    and the table of classes need ``segmenter``; diversity needs ``perceptual``. What is missing is named in the result, with
    the reason. The model is left as it was.

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
        train: Training photos with their label maps: for the distances of real images, and for batch-norm statistics where the
            protocol has them re-estimated.
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
        ValueError: If nothing can be measured; a network is of a family that the model was trained with (its ``trunks``); a
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
    _check(gan, source, protocol, features, segmenter, perceptual, train, batch_size)
    size = gan.image_size
    weights = {"generator": weights_sha256(gan.ema_generator), "features": weights_sha256(features),
               "segmenter": weights_sha256(segmenter),
               "perceptual": weights_sha256(perceptual.feature_model if isinstance(perceptual, LPIPS) else perceptual)}
    reads = _RealReader(source, size, batch_size, protocol, None if cache is None else StatisticsCache(cache))
    judges = []
    if features is not None:
        judges.append(_FeatureJudge(features, protocol))
    if segmenter is not None:
        judges.append(_SegmentationJudge(segmenter, protocol, source.label_space, size))
    baseline = _baseline(train, len(source)) if features is not None else None
    batches = -(-len(source) // batch_size)
    draws, chosen = _diversity_plan(gan, protocol, perceptual, len(source))
    total = batches * (2 + (baseline is not None)) + draws * -(-len(chosen) // batch_size)
    tick = _Ticks(progress, total)

    reads.read(judges, tick)
    tick.reach(batches)
    if baseline is not None:
        _RealReader(baseline, size, batch_size, protocol, reads.cache).read([judges[0].of_baseline()], tick)
        tick.reach(2 * batches)
    digest = hashlib.sha256()
    with _statistics(gan, protocol, train, batch_size, seed):
        for label_maps, _, first in _batches(source, size, batch_size, images=False):
            digest.update(label_maps.astype(np.int32).tobytes())
            generated = _generated(gan, label_maps, seed, batch_size, first)
            for judge in judges:
                judge.update_generated(label_maps, generated)
            tick()
        diverse = _diversity(gan, source, size, protocol, perceptual, chosen, seed, batch_size, tick)
    tick.reach(total)

    generated_scores, real_scores, notes = {}, {}, []
    for judge in judges:
        generated, real = judge.scores(seed)
        generated_scores |= generated
        real_scores |= real
        notes += judge.notes()
    generated_scores |= diverse[0]
    real_scores |= diverse[1]
    segmentation = next((judge for judge in judges if isinstance(judge, _SegmentationJudge)), None)
    return {
        "protocol": {"name": protocol.name, "version": protocol.version, "sha256": protocol.sha256,
                     "definition": protocol.definition},
        "generated": generated_scores,
        "real": real_scores,
        "not_measured": _not_measured(gan, source, features, segmenter, perceptual, train, baseline, generated_scores),
        "notes": notes,
        "per_class": [] if segmentation is None else segmentation.table(source.label_space),
        "counts": {"real": len(source), "generated": len(source), "training": 0 if baseline is None else len(baseline),
                   "diversity_label_maps": len(chosen), "diversity_draws": draws if len(chosen) else 0},
        "weights": weights,
        "labels": None if segmentation is None else segmentation.labels(),
        "generator": {"noise_channels": gan.noise_channels, "images": "one draw of noise for each label map, moving average",
                      "statistics_batches": protocol.statistics_batches if _has_batch_norm(gan) else None},
        "data": {"source": type(source).__name__, "num_classes": source.label_space.num_classes,
                 "label_maps_sha256": digest.hexdigest(), "images_sha256": reads.images_sha256,
                 "fingerprint": reads.fingerprint},
        "seed": seed, "batch_size": batch_size, "image_size": list(size), "versions": versions(),
    }


def _check(gan, source, protocol, features, segmenter, perceptual, train, batch_size):
    if batch_size < 1:
        raise ArgumentError("{}: expected 1 or more.", {"batch_size": batch_size})
    if features is None and segmenter is None and perceptual is None:
        raise ValueError("evaluate_protocol: nothing to measure with. Give features=, segmenter= or perceptual=.")
    distance = perceptual.feature_model if isinstance(perceptual, LPIPS) else perceptual
    refuse_relatives(gan.trunks, {getattr(network, "name", which): network for which, network in (
        ("features=", features), ("segmenter=", segmenter), ("perceptual=", distance))})
    if not len(source):
        raise DataError("The source to evaluate on is empty.")
    for which, data in (("data", source), ("training photos", train)):
        if data is not None and (data.label_space is None or data.label_space.num_classes != gan.num_classes):
            found = "no label maps" if data.label_space is None else f"{data.label_space.num_classes} classes"
            raise ValueError(f"The model has {gan.num_classes} classes, the {which} {found}. Evaluate it on the data set that "
                             "it was trained on.")
    gan.require_same_classes(**{"the data": source, "train=": train, "the segmenter": segmenter})
    # a generator by itself, without the system that trained it, knows of none
    trained_with = getattr(gan, "ignore_class", None)
    if trained_with not in (None, source.label_space.ignore_class):
        found = "none" if source.label_space.ignore_class is None else f"class {source.label_space.ignore_class}"
        raise ArgumentError(f"The model was trained with class {trained_with} as don't-care, the data have {found}, and scores "
                            "depend on it.", {}, Remedy("Open the data with {}.", {"ignore_class": trained_with}),
                            Remedy("Or mark the class in classes.csv, or pack them so."))
    if features is not None and protocol.features == "inception_v3_fid" and not is_fid_inception(features):
        raise ValueError(f"The protocol {protocol.name!r} fixes the feature network. {WITHOUT_INCEPTION}")
    if features is not None and len(source) < 2:
        raise ValueError("A covariance needs at least 2 images, and the data holds 1.")
    if protocol.statistics_batches and _has_batch_norm(gan) and train is None:
        raise ValueError(f"The protocol {protocol.name!r} has the generator's batch-norm statistics re-estimated over "
                         f"{protocol.statistics_batches} training batches: give train=, the training photos with label maps.")


def _has_batch_norm(gan):
    return any(isinstance(layer, BatchNorm) for layer in gan.ema_generator._flatten_layers())


def _spread(count: int, wanted: int) -> np.ndarray:
    """As many indices as wanted, evenly spread; all of them where there are fewer."""
    wanted = min(count, wanted)
    return np.arange(wanted) * count // max(wanted, 1)


def _baseline(train, count):
    if train is None or len(train) < 2:
        return None
    return train.subset(_spread(len(train), count))


def _generated(gan, label_maps, seed, batch_size, first):
    images = np.clip(gan.generate_floats(label_maps, seed, batch_size, first), -1.0, 1.0)
    # rounding to 8 bits would make black pixels of them
    if not np.isfinite(images).all():
        raise ValueError("The generator returns values that are not finite: its training has failed, or its file is damaged. "
                         "Evaluate an earlier checkpoint.")
    return images


def _statistics(gan, protocol, train, batch_size, seed):
    if not protocol.statistics_batches or not _has_batch_norm(gan):
        return nullcontext()
    return gan.statistics_of(paired_dataset(train, gan.image_size, batch_size, seed=seed), protocol.statistics_batches)


def _batches(source: Source, size, batch_size, images: bool) -> Iterator[tuple[np.ndarray, np.ndarray | None, int]]:
    """Label maps, images as uint8 if they are asked for, and the number of the first item."""
    for first in range(0, len(source), batch_size):
        indices = range(first, min(first + batch_size, len(source)))
        if not images:
            yield np.stack([resize_label_map(source.load_label_map(i), size) for i in indices]), None, first
            continue
        items = [source.load(i) for i in indices]
        yield (np.stack([resize_label_map(label_map, size) for _, label_map in items]),
               np.stack([resize_image(image, size) for image, _ in items]), first)


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


class _RealReader:
    """Reads real images for the judges that do not find theirs in the cache."""

    def __init__(self, source, size, batch_size, protocol, cache):
        self.source = source
        self.size = tuple(size)
        self.batch_size = batch_size
        self.protocol = protocol
        self.cache = cache
        self.images_sha256 = None

    @cached_property
    def fingerprint(self):
        """That of the data, for which every file is looked at."""
        return data_fingerprint(self.source)

    def read(self, judges, tick):
        keys = [self._key(judge) for judge in judges]
        missing = [(judge, key) for judge, key in zip(judges, keys, strict=True) if not self._load(judge, key)]
        if not missing:
            return
        digest = hashlib.sha256()
        for label_maps, images, _ in _batches(self.source, self.size, self.batch_size, images=True):
            digest.update(images.tobytes())
            for judge, _ in missing:
                judge.update_real(label_maps, images)
            tick()
        self.images_sha256 = digest.hexdigest()
        for judge, key in missing:
            if key is not None:
                self.cache.store(key, judge.real_state() | {"images_sha256": self.images_sha256})

    def _key(self, judge):
        if self.cache is None or judge.fingerprint is None:
            return None
        data = self.fingerprint
        return data and json.dumps([judge.kind, data, self.protocol.sha256, judge.fingerprint, self.size])

    def _load(self, judge, key):
        state = None if key is None else self.cache.load(key)
        if state is None:
            return False
        try:
            self.images_sha256 = str(state.pop("images_sha256"))
            judge.load_real_state(state)
        except (KeyError, ValueError):
            return False
        return True


class _FeatureJudge:
    """Everything that is computed from the features of images."""

    kind = "features"

    def __init__(self, network, protocol):
        self.network = Features(network)
        self.protocol = protocol
        self.fingerprint = network_fingerprint(network)
        self.kept = None if protocol.statistics == "float32" else protocol.kept_images
        self.real, self.generated = FeatureStatistics(self.kept), FeatureStatistics(self.kept)
        self.baseline = None

    def of_baseline(self):
        """A judge of training images with the same network."""
        self.baseline = _FeatureJudge(self.network.extractor, self.protocol)
        return self.baseline

    def update_real(self, label_maps, images):
        self.real.update(self._features(images))

    def update_generated(self, label_maps, images):
        self.generated.update(self._features(to_8_bit(images) if self.protocol.eight_bit else images))

    def _features(self, images):
        if self.protocol.resize == "pillow_bicubic_299":
            images = pillow_bicubic_299(images)
            images = (images - 128.0) / 128.0 if self.protocol.scale == "(v - 128) / 128" else from_8_bit(images)
        elif images.dtype == np.uint8:
            images = from_8_bit(images)
        return self.network(images.astype(np.float32))

    def real_state(self):
        return self.real.state()

    def load_real_state(self, state):
        self.real = FeatureStatistics.from_state(state, self.kept)

    def scores(self, seed):
        generated = distances(self.protocol, self.real, self.generated, seed)
        if self.baseline is None:
            return generated, {}
        real = distances(self.protocol, self.real, self.baseline.real, seed)
        if self.baseline.real.count < self.real.count:
            # biased by the count, unlike the kernel distance
            real = {name: value for name, value in real.items() if name.startswith("kid")}
        return generated, real

    def notes(self):
        count, dimension = self.real.count, self.real.moments.dimension
        if count > dimension:
            return []
        return [f"{count} images are too few for {dimension} features: the covariance is singular, and the Fréchet distance of "
                "equal distributions is far from 0. Compare it with the real images' and at equal counts only; the kernel "
                "distance has no such bias."]


class _SegmentationJudge:
    """Everything that is computed from a segmenter's answers."""

    kind = "segmentation"

    def __init__(self, network, protocol, space, size):
        self.rule = rule_for(protocol, space, network)
        self.segmenter = RuleSegmenter(network, self.rule, size, protocol.segmenter_eight_bit)
        self.fingerprint = network_fingerprint(network)
        self.metric = GeneratedMeanIoU(self.segmenter, self.rule.ignored, self.rule.num_outputs)
        self.real = self.generated = np.zeros((self.rule.num_outputs,) * 2, np.int64)

    def update_real(self, label_maps, images):
        self.real = self.real + self.metric.count(self.rule.channels(label_maps), from_8_bit(images))

    def update_generated(self, label_maps, images):
        self.generated = self.generated + self.metric.count(self.rule.channels(label_maps), images)

    def real_state(self):
        return {"confusion": self.real}

    def load_real_state(self, state):
        if state["confusion"].shape != self.real.shape:
            raise ValueError("another number of classes")
        self.real = state["confusion"]

    def scores(self, seed):
        if not self.real.any():
            raise ValueError("No labelled pixel counts: every one is ignored by the rule "
                             f"{self.rule.name!r}. Check the label maps and the don't-care class.")
        return tuple(segmentation_scores(confusion, mean_over=self.rule.mean_over) for confusion in (self.generated, self.real))

    def notes(self):
        return []

    def labels(self):
        """The label map's ids as the segmenter's channels, and what does not count."""
        return {"rule": self.rule.name, "label_ids": list(self.rule.label_ids), "ignored": self.rule.ignored,
                "ignore_rule": f"pixels whose id maps to {self.rule.ignored} are left out", "mean_over": self.rule.mean_over,
                "segmenter_input_sizes": [list(size) for size in self.segmenter.input_sizes]}

    def table(self, space):
        """A row for each class; an IoU is None where neither label maps nor segmenter name the class."""
        ids = self.rule.label_ids
        names = {channel: space.class_names[i] for i, channel in enumerate(ids) if channel != self.rule.ignored}
        ious = {"generated": iou_from_confusion(self.generated), "real": iou_from_confusion(self.real)}
        pixels = self.real.sum(axis=1)
        return [{"channel": channel, "name": name, "labelled_pixels": int(pixels[channel])} | {
            which: None if math.isnan(values[channel]) else float(values[channel]) for which, values in ious.items()}
            for channel, name in sorted(names.items())]


def _diversity_plan(gan, protocol, perceptual, count):
    """Draws for each label map, and which label maps."""
    if perceptual is None or not gan.noise_channels:
        return protocol.diversity_draws, np.zeros(0, np.int64)
    return protocol.diversity_draws, _spread(count, protocol.diversity_maps)


def _diversity(gan, source, size, protocol, perceptual, chosen, seed, batch_size, tick):
    """Scores of the generated images, and of photos of different label maps."""
    if not len(chosen):
        return {}, {}
    metric, photos, previous = Diversity(perceptual), [], None
    for label_maps, images, first in _batches(source.subset(chosen), size, batch_size, images=True):
        draws = []
        for draw in range(protocol.diversity_draws):
            draws.append(_generated(gan, label_maps, seed + draw, batch_size, first))
            tick()
        metric.update_state(np.stack(draws))
        images = from_8_bit(images)
        run = images if previous is None else np.concatenate([previous, images])
        if len(run) > 1:
            photos.extend(metric.distances(run[1:], run[:-1]).tolist())
        previous = images[-1:]
    scores = {name: value for name, value in metric.result().items() if math.isfinite(value)}
    return scores, ({"diversity": float(np.mean(photos))} if photos else {})


def _not_measured(gan, source, features, segmenter, perceptual, train, baseline, generated):
    reasons = {}
    if features is None:
        reasons["fréchet distance, kid, precision, recall"] = "no feature network was given"
    elif "precision" not in generated:
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
    return reasons
