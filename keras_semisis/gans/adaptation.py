"""The user's own classes from a model of others: class-affinity transfer."""

import warnings
from typing import Any, TypeVar, cast

import keras
import numpy as np

from keras_semisis.data import LabelSpace, Source, paired_dataset
from keras_semisis.data.labels.label_space import unnamed_label_space
from keras_semisis.data.stream.batch_rule import BatchRule
from keras_semisis.data.stream.own_batches import own_batches
from keras_semisis.gans.adversarial import AdversarialModel
from keras_semisis.gans.class_affinity import affinity_of_names, affinity_of_pairs, given_affinity
from keras_semisis.gans.sampler import Sampler
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.gans.validation import check_end
from keras_semisis.layers import DiffAugment
from keras_semisis.models import LabeledModel
from keras_semisis.models.other_classes import (
    copy_of,
    generator_of_classes,
    judge_of_classes,
    reads_classes,
    segments,
    train_affinity_alone,
)

Model = TypeVar("Model", bound=keras.Model)


def adapt(model: Model, label_space: LabelSpace, affinity: Any = None, pairs: Any = None, *, alone: bool = False) -> Model:
    """A model of other classes, which begins with what this one has learned.

    A matrix stands in front of the generator: each new class begins as a mixture of the classes that it knows, and learns
    with the rest. The other networks are given the new classes by the same matrix. Where nothing is said, a class begins as
    that of the same or a similar name, or, where there is none, as the mean of all, with a warning.

    Args:
        model: A trained system, a preset, a `gans.Sampler`, or a generator by itself, such as one of published weights.
        label_space: The new classes, the don't-care class included.
        affinity: The matrix ``(num_classes, former classes)``; or, for some classes, what they begin as: ``{"path": "road",
            "hedge": {"fence": 0.5, "plant": 0.5}}``, or as text, as on the command line: ``"path: road; hedge: fence 0.5, plant
            0.5"``.
        pairs: Photos with label maps of the new classes: a source, a data set as `fit` takes it, or arrays ``(photos,
            label_maps)``. A class begins as the mixture of what the model's network that segments sees in its pixels.
        alone: Whether the matrix alone is to learn, of the generator: its other layers are frozen, until ``layer.trainable`` is
            set again and `compile` called.

    Returns:
        A model of the same kind, with weights of its own: to `compile` and `fit` on data of the new classes, or to generate
        from. `layers.ClassAffinity` is ``generator.get_layer("class_affinity")``.

    Raises:
        ValueError: If classes are not those of the model or the label space, the model knows no classes, has no network that
            segments for ``pairs``, or holds a network that cannot be given other classes.
        DataError: If the pairs cannot be read, or have other classes than the label space.

    Warns:
        UserWarning: Naming the classes that begin as the mean of all; or if the model's pseudo-labels are left out, where there
            is no don't-care class.

    Reference: Careil et al., "Few-shot Semantic Image Synthesis with Class Affinity Transfer", CVPR 2023 (arXiv 2304.02321).

    Example:

    >>> import keras_semisis as ks
    >>> space = ks.data.LabelSpace(("Sky", "Roads", "hedge"), ((0, 0, 255), (90, 90, 90), (0, 255, 0)))
    >>> model = ks.adapt(ks.from_preset("street"), space, affinity={"hedge": "vegetation"})
    >>> model.generate(np.full((64, 96), 2)).shape
    (64, 96, 3)
    """
    sampler = model if isinstance(model, Sampler) else Sampler(model, label_space=getattr(model, "label_space", None))
    if sampler.num_classes is None:
        raise ValueError("adapt: the generator does not say how many classes it has learned. Give a Sampler with num_classes=.")
    sampler.refresh_statistics()
    matrix = _matrix(sampler, label_space, affinity, pairs)
    if not isinstance(model, Sampler):
        generator = generator_of_classes(model, matrix)
        if alone:
            train_affinity_alone(generator)
        return cast(Model, LabeledModel.of(generator, label_space))
    return cast(Model, _adapted(sampler, label_space, matrix, alone))


def _matrix(sampler, label_space, affinity, pairs):
    known = sampler.label_space or unnamed_label_space(sampler.num_classes, sampler.ignore_class)
    matrix, given = np.zeros((label_space.num_classes, known.num_classes)), np.zeros(label_space.num_classes, bool)
    if affinity is not None:
        matrix, given = given_affinity(affinity, label_space, known)
    if pairs is not None and not given.all():
        seen = _seen_in(sampler, label_space, pairs)
        rows = ~given & (seen.sum(1) > 0)
        matrix[rows], given = seen[rows], given | rows
    if not given.all():
        named = affinity_of_names(label_space, known)
        rows = ~given & (named.sum(1) > 0)
        matrix[rows], given = named[rows], given | rows
    if not given.all():
        counted = np.arange(known.num_classes) != known.ignore_class
        matrix[~given] = counted / counted.sum()
        names = ", ".join(name for name, row in zip(label_space.class_names, given, strict=True) if not row)
        warnings.warn(
            f"adapt: no class of the model has a name like {names}: {'it begins' if (~given).sum() == 1 else 'they begin'} as "
            f"the mean of all ({', '.join(known.class_names)}). Give affinity={{...}}, or pairs= with photos of "
            f"{'it' if (~given).sum() == 1 else 'them'}.",
            stacklevel=3,
        )
    return matrix


def _seen_in(sampler, label_space, pairs):
    """What the network that segments sees in the pixels of each class."""
    if sampler.segmenting_network is None:
        raise ValueError(
            "adapt: pairs= needs a network that segments, and this model has none. Give affinity=, or leave it to the names "
            "of the classes."
        )
    size = tuple(sampler.segmenting_network.inputs[0].shape[1:3])
    rule = BatchRule(label_space.num_classes, size, label_space.ignore_class)
    if isinstance(pairs, Source):
        pairs = paired_dataset(pairs, size, batch_size=8, training=False)
    elif not isinstance(pairs, tuple):
        check_end(pairs, None)
    if getattr(pairs, "label_space", None) is not None:
        label_space.require_same_classes(pairs.label_space, "label_space", "pairs")
    batches = own_batches(pairs, rule.of_any_size(), "pairs", batch_size=8, training=False)
    return affinity_of_pairs(batches, sampler.segment, label_space.num_classes, sampler.num_classes)


def _adapted(model, label_space, matrix, alone):
    networks = {}
    for name in model.network_names:
        network = getattr(model, name)
        if name == "generator":
            networks[name] = generator_of_classes(network, matrix)
        elif network is not None and (reads_classes(network) or segments(network, model.num_classes)):
            networks[name] = judge_of_classes(network, matrix)
        elif network is not None:
            networks[name] = copy_of(network)
    if alone:
        train_affinity_alone(networks["generator"])
    config = model.get_config() | networks
    config.pop("frozen_layers", None)
    config |= {"num_classes": label_space.num_classes, "ignore_class": label_space.ignore_class, "label_space": label_space}
    if isinstance(model, SemanticGAN):
        config["augmentation"] = _augmentation(model.augmentation, label_space)
        if config.get("perceptual") == "given":
            config["perceptual"] = model.perceptual
        if config.get("pseudo_label_confidence") is not None and label_space.ignore_class is None:
            config["pseudo_label_confidence"] = None
            warnings.warn(
                "adapt: pseudo_label_confidence is left out: there is no don't-care class for the pixels that are unsure.",
                stacklevel=3,
            )
    adapted = type(model).from_config(config)
    if isinstance(model, AdversarialModel):
        average = generator_of_classes(model.ema_generator, matrix)
        adapted.ema_generator.set_weights(average.get_weights())
    return adapted


def _augmentation(augmentation, label_space):
    """That of the model, whose label maps are filled with the new don't-care class; colors alone where there is none."""
    if augmentation is None or augmentation.fill_class is None:
        return augmentation and DiffAugment(augmentation.policy)
    if label_space.ignore_class is None:
        return DiffAugment(("color",))
    return DiffAugment(augmentation.policy, fill_class=label_space.ignore_class)
