"""What a preset holds: the generator that draws, the network that segments, and the encoder of styles."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_semisis.gans.sampler import Sampler
from keras_semisis.gans.untracked import Untracked


@keras.saving.register_keras_serializable(package="keras_semisis")
class PresetModel(Sampler):
    """A trained generator that draws photos of label maps, with the discriminator that segments them, where there is one.

    Args:
        generator, num_classes, image_size, ignore_class, label_space, seed, encoder: As those of `Sampler`.
        segmenter: Model from images in [-1, 1] to logits ``(B, H, W, num_classes + 1)``, fake first; None for none.
        trunks: As `Sampler.trunks`, of the training: networks of these families may not judge it.

    Example:

    >>> import numpy as np
    >>> from keras_semisis import models
    >>> model = PresetModel(models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4))
    >>> model.generate(np.zeros((32, 32), "uint8"), seed=7).shape
    (32, 32, 3)
    """

    network_names: tuple[str, ...] = ("generator", "segmenter")

    _trunks = Untracked()

    def __init__(
        self,
        generator: Any,
        *args,
        segmenter: keras.Model | None = None,
        trunks: Mapping[str, Sequence[str]] | None = None,
        **kwargs,
    ):
        super().__init__(generator, *args, **kwargs)
        self.segmenter = segmenter
        self._trunks = {where: list(families) for where, families in (trunks or {}).items()}

    @classmethod
    def of(cls, model: Sampler, segmenter: bool = True) -> "PresetModel":
        """A model's moving average, its encoder and, if wanted, the network that its `segment` asks, which it keeps."""
        return cls(
            model.ema_generator,
            model.num_classes,
            model.image_size,
            model.ignore_class,
            model.label_space,
            segmenter=model.segmenting_network if segmenter else None,
            encoder=model.encoder,
            trunks=model.trunks,
        )

    @property
    def trunks(self):
        return self._trunks

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"trunks": self._trunks}

    @property
    def segmenting_network(self):
        return self.segmenter
