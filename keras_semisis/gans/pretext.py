"""What G can learn from unpaired label maps: pretext tasks, which compose in `SemiPairedGAN(pretext=[...])`.

A task has a ``name`` for the logs, a ``weight``, and is called as ``task(gan, label_map, noise, generated)``; it returns
its term.
"""

from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers import RandomAffine

# The published program turns by 20 degrees and shifts by 6 of 256 pixels in its first version, scales by 10 % in its later one
ROTATION, TRANSLATION, SCALING = 20.0, 6 / 256, 10.0


@keras.saving.register_keras_serializable(package="keras_semisis", name="pretext.Cycle")
class Cycle:
    """The segmentation cycle: a network that segments leads from the generated image back to its label map.

    That network is D, frozen (or not, ablation B), or one of its own (ablation A).

    Args:
        weight: Weight of the term; None is the system's ``cycle_weight``.
        confidence: Only pixels count at which that network gives some class at least this probability, in [0, 1); 0, the
            paper's, is all. What a network that few label maps have taught does not know then leads nobody.

    Raises:
        ValueError: If ``confidence`` is outside.

    Reference: arXiv 2306.13585, eq. 3, first term; the threshold is that of Sohn et al. (FixMatch), NeurIPS 2020, eq. 4.
    """

    name = "cycle"

    def __init__(self, weight=None, confidence=0.0):
        if not 0 <= confidence < 1:
            raise ArgumentError("{} is not a probability in [0, 1).", {"cycle_confidence": confidence})
        self.weight = weight
        self.confidence = confidence

    def __call__(self, gan, label_map, noise, generated):
        way_back = gan.discriminator if gan.reverse is None else gan.reverse
        image, label_map = gan.augmented(generated, label_map)
        logits = way_back(image, training=True)
        if not self.confidence:
            return gan.cycle_loss(label_map, logits)
        # without the fake class, as in the loss
        sure = ops.max(ops.softmax(logits[..., 1:]), axis=-1) >= self.confidence
        return gan.cycle_loss(label_map, logits, sample_weight=ops.cast(sure, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "confidence": self.confidence}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_semisis", name="pretext.TCR")
class TCR:
    """Transformation consistency: to generate, then warp, is to warp the label map, then generate, from the same noise.

    ``E‖T(G(z, m)) - G(z, T(m))‖²``, the mean over the pixels that come from inside the image. The same random rotation,
    scaling and translation T goes over image (bilinearly) and label map (nearest neighbor). The gradient goes through both
    sides. The limits are those of the published program's two versions together; its weight is for another loss and task.

    Args:
        weight: Weight of the term. Images are in [-1, 1], and their mean squared difference is a few hundredths: 10
            brings it to the size of the other terms. It is the same for every share of pairs.
        max_rotation: Degrees, to either side.
        max_translation: Share of the image's height and width, to either side.
        max_scaling: Percent.

    Reference: Mustafa and Mantiuk, "Transformation Consistency Regularization", ECCV 2020.
    """

    name = "consistency"

    def __init__(
        self, weight=10.0, max_rotation: float = ROTATION, max_translation: float = TRANSLATION, max_scaling: float = SCALING
    ):
        self.weight = weight
        self.max_rotation = max_rotation
        self.max_translation = max_translation
        self.max_scaling = max_scaling

    def __call__(self, gan, label_map, noise, generated):
        height, width = gan.image_size
        # pixels from outside do not count, whatever class they are given
        warp = RandomAffine(
            self.max_rotation,
            self.max_translation * width,
            self.max_translation * height,
            self.max_scaling,
            fill_class=gan.ignore_class or 0,
            dtype="float32",
        )
        random = keras.random.uniform((ops.shape(label_map)[0], 4), seed=gan.seed_generator)
        warped = warp([generated, random])
        again = gan.generate_from(warp([label_map, random]), noise)
        inside = ops.cast(warp.inside(random, gan.image_size), "float32")[..., None]
        return ops.sum(inside * ops.square(warped - again)) / (3 * ops.maximum(ops.sum(inside), 1.0))

    def get_config(self) -> dict[str, Any]:
        return {
            "weight": self.weight,
            "max_rotation": self.max_rotation,
            "max_translation": self.max_translation,
            "max_scaling": self.max_scaling,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_semisis", name="pretext.Diversity")
class Diversity:
    """Two photos of one label map differ as their noises do: what keeps G from drawing one photo whatever the noise.

    ``τ - E[min(τ, |G(z, m) - G(z', m)| / |z - z'|)]``, where ``|·|`` is the mean absolute difference: 0 where every two photos
    differ by τ of the difference of their noises or more, and τ where noise changes nothing.

    Args:
        weight: Weight of the term.
        limit: τ. Images are in [-1, 1], and the noise is normal, so that two noises differ by 1.13 on average.

    Raises:
        ValueError: When training begins, for a generator without noise.

    Reference: Yang et al., "Diversity-Sensitive Conditional Generative Adversarial Networks", ICLR 2019, eq. 2.
    """

    name = "diversity"

    def __init__(self, weight=1.0, limit=0.2):
        self.weight = weight
        self.limit = limit

    def __call__(self, gan, label_map, noise, generated):
        if noise is None:
            raise ValueError("pretext.Diversity: the generator takes no noise, by which photos could differ. Leave it out.")
        other = gan.draw_noise(label_map)
        again = gan.generate_from(label_map, other)
        apart = _distance(generated, again) / ops.maximum(_distance(noise, other), 1e-6)
        return self.limit - ops.mean(ops.minimum(apart, self.limit))

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "limit": self.limit}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _distance(x, y):
    """The mean absolute difference of each item of a batch."""
    return ops.mean(ops.abs(ops.cast(x, "float32") - ops.cast(y, "float32")), axis=tuple(range(1, len(x.shape))))
