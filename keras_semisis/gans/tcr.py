"""TCR: OASIS on pairs, and transformation consistency on unpaired label maps."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_semisis.gans import pretext
from keras_semisis.gans.oasis import OASIS
from keras_semisis.gans.phase import Phase


@keras.saving.register_keras_serializable(package="keras_semisis")
class TCR(OASIS):
    """Learns from pairs as OASIS, and from unpaired label maps that generating and warping commute.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``. G and D are the deepest that fit.
        ignore_class: The don't-care id, or None where every pixel counts.
        consistency: The task, `gans.pretext.TCR`, with its weight and the limits of the transformation.
        **kwargs: The other arguments of `OASIS`.

    Raises:
        ValueError: If the task has no weight.

    Reference: Mustafa and Mantiuk, "Transformation Consistency Regularization", ECCV 2020, as arXiv 2306.13585, section 4,
    compares with it: on the generator and loss of OASIS.

    Example:

    >>> from keras_semisis import models
    >>> gan = TCR(
    ...     num_classes=4, image_size=(32, 32),
    ...     generator=models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4),
    ...     discriminator=models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4))
    >>> gan.compile()
    >>> [phase.name for phase in gan.phases()]
    ['discriminator', 'generator', 'unpaired']
    """

    data_sets = ("paired_ds", "unpaired_ds")

    def __init__(
        self, num_classes: int, image_size: tuple[int, int], ignore_class: int | None = None, consistency: Any = None, **kwargs
    ):
        super().__init__(num_classes, image_size, ignore_class, **kwargs)
        self.consistency = pretext.TCR() if consistency is None else consistency
        if self.consistency.weight is None:
            raise ValueError(
                "consistency: its weight is None, which is SemiPairedGAN's cycle_weight, and none here. Give a number."
            )

    def phases(self) -> Sequence[Phase]:
        """One iteration: D and G on the paired batch, G on the unpaired label maps."""
        return (
            self.discriminator_phase(),
            self.generator_phase(),
            Phase("unpaired", ("generator",), self.unpaired_terms, {"consistency": self.consistency.weight}),
        )

    def unpaired_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """Generated and warped equals warped and generated."""
        _, label_map = data.unpaired
        noise = self.draw_noise(label_map)
        generated = self.generate_from(label_map, noise)
        return {"consistency": self.consistency(self, label_map, noise, generated)}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"consistency": keras.saving.serialize_keras_object(self.consistency)}
