"""What the systems with an unconditional discriminator share: eq. 4."""

from functools import partial
from typing import Any

import keras
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.losses import HingeLoss, NonSaturatingLoss, r1_penalty

ADVERSARIAL_LOSSES = ("non_saturating", "hinge")


def adversarial_losses(name: str):
    """The loss of D_u, and that of G by D_u, of the name ``"non_saturating"`` (the paper's, eq. 3 and 4) or ``"hinge"``.

    Raises:
        ValueError: If there is no such loss.
    """
    if name not in ADVERSARIAL_LOSSES:
        raise ValueError(f"adversarial_loss={name!r}: expected one of {', '.join(map(repr, ADVERSARIAL_LOSSES))}.")
    if name == "hinge":
        return HingeLoss(), HingeLoss(generator=True)
    return NonSaturatingLoss(), NonSaturatingLoss()


def unconditional_terms(network: keras.Model, loss, image: Any, generated, due: Any) -> dict[str, Any]:
    """Eq. 4: D_u tells photos from generated images; R1 keeps its gradient on photos small.

    Args:
        network: D_u, from images to logits.
        loss: The loss of D_u, as `losses.NonSaturatingLoss`.
        image, generated: Batches of photos and of generated images.
        due: Names of the terms that are due; ``"r1"`` may be among them.
    """
    judge, generated = partial(network, training=True), ops.stop_gradient(generated)
    terms = {"fake": loss(0, judge(generated)), "real": loss(1, judge(image))}
    if "r1" in due:
        terms["r1"] = r1_penalty(engine.input_gradient(lambda x: ops.sum(judge(x)), image, network.variables))
    return terms
