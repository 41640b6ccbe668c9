"""The recipe for few labels and little computing."""

from typing import Any

from keras_semisis.data import LabelSpace
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.gans import SemiPairedGAN
from keras_semisis.gans.engines import engine
from keras_semisis.gans.semantic import published_widths
from keras_semisis.models.trunks import TRUNKS
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.precision import fastest_precision
from keras_semisis.recipes.systems import build_gan

# 1.25 was published for 256×512 pixels; 0.25 at 128×192 and 0.03 at 48×64 were found here
_R1_GAMMA_OF_A_PIXEL = 1.25 / (256 * 512)

# that every run by the recipe has, unless all are chosen by hand
RATES_AND_WIDTHS = ("generator_learning_rate", "discriminator_learning_rate", "ema_decay", "hidden_channels", "noise_channels")


def few_labels(
    label_space: LabelSpace,
    image_size: tuple[int, int],
    trunk: str | None = "vgg16",
    accelerator: bool | None = None,
    seed: int = 0,
) -> SemiPairedGAN:
    """A compiled `SemiPairedGAN` for some dozen labeled photos and a training of minutes or an hour.

    The paper's networks and rates, the defaults of `SemiPairedGAN`, are for days at 256 pixels. This has OASIS's generator,
    discriminators on the features of a frozen network (`models.pretrained_discriminator`,
    `models.projected_discriminator`) with the hinge loss and no R1, DiffAugment, a perceptual loss of VGG16, and rates for some
    hundred to some thousand steps. ``keras.config.set_dtype_policy(recipes.fastest_precision())`` before it may halve the time
    of a step.

    Args:
        label_space: What the label maps mean: ``label_space`` of a source.
        image_size: ``(height, width)``, as `models.oasis_generator` takes it.
        trunk: The frozen network: ``"vgg16"`` or ``"efficientnet_lite0"`` (extra ``offline``). None goes without: the
            discriminators learn from nothing, and there is no perceptual loss.
        accelerator: Whether networks have the widths for a GPU or those for a CPU, which are narrower. None looks whether
            the backend has a device other than the CPU.
        seed: Seed of weights and noise.

    Returns:
        The system, compiled.

    Raises:
        ValueError: If there is no such trunk, or the size does not fit, naming the nearest that do.
        ModuleNotFoundError: If the package with the trunk's weights is not installed.

    Reference: docs/results, "A minute on a GPU"; Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021; Berrada et al.
    (DP-SIMS), CVPR 2024.

    Example:

    >>> space = LabelSpace(("sky", "road", "void"), ((0, 128, 255), (90, 90, 90), (0, 0, 0)), ignore_class=2)
    >>> gan = few_labels(space, (32, 48), trunk=None, accelerator=False)
    >>> gan.generate([[[0] * 48] * 16 + [[1] * 48] * 16]).shape
    (1, 32, 48, 3)
    """
    options = _options_of_networks(image_size, trunk, accelerator)
    return build_gan(TrainSettings("", "", image_size=(image_size[0], image_size[1]), seed=seed, **options), label_space)


def few_labels_options(
    image_size: tuple[int, int],
    trunk: str | None = "vgg16",
    accelerator: bool | None = None,
    generator: str | None = None,
    discriminator: str | None = None,
    unconditional: str | None = None,
) -> dict[str, Any]:
    """The same as options of a run.

    Args:
        image_size, trunk, accelerator: As those of `few_labels`.
        generator: As in `TrainSettings`; None is OASIS's. The waveletSPADE generator begins with quiet details.
        discriminator, unconditional: As in `TrainSettings`; None is on the trunk, if there is one.

    Returns:
        Names and values of fields of `TrainSettings`. Widths, rates and losses suit the networks. The precision is the one that
        is fastest here.

    Raises:
        ValueError, ModuleNotFoundError: As `few_labels` raises them.
    """
    options = _options_of_networks(image_size, trunk, accelerator, generator, discriminator, unconditional)
    return options | {"precision": fastest_precision()}


def _options_of_networks(image_size, trunk, accelerator, generator=None, discriminator=None, unconditional=None):
    if trunk is not None and trunk not in TRUNKS:
        raise ArgumentError(f"{{}}: expected one of {', '.join(TRUNKS)}, or None.", {"trunk": trunk})
    if trunk is not None:  # before anything is read
        TRUNKS[trunk].weights.path(f"The frozen {trunk}")
    wide = engine.has_accelerator() if accelerator is None else accelerator
    return _options(image_size, trunk, wide, generator, discriminator, unconditional)


def _options(image_size, trunk, wide, generator, discriminator, unconditional):
    discriminator = discriminator or ("oasis" if trunk is None else "pretrained")
    unconditional = unconditional or ("wavelet" if trunk is None else "projected")
    options = {
        "method": "semi_paired",
        "generator": generator or "oasis",
        "detail_gain": 0.1 if generator == "wavelet" else None,
        "augmentation": True,
        # four times as many channels in OASIS's generator
        "base_channels": 12 if wide else 8,
        "hidden_channels": 128 if wide else 64,
        "noise_channels": 64 if wide else 16,
        "generator_learning_rate": 4e-4,
        "discriminator_learning_rate": 4e-4,
        "ema_decay": 0.999,
        "discriminator": discriminator,
        "discriminator_final_channels": 64 if wide else 32,
        "unconditional": unconditional,
        "perceptual": "none",
    }
    if trunk is not None:
        options |= {"perceptual": "vgg16_imagenet", "perceptual_weight": 0.6}
    if trunk is not None and (discriminator == "pretrained" or unconditional == "projected"):
        stride = TRUNKS[trunk].last_stride
        enlarged = tuple(-(-side // stride) * stride for side in image_size)
        options |= {"trunk": trunk, "trunk_size": None if enlarged == tuple(image_size) else enlarged}
    if discriminator == "pretrained":
        options["discriminator_channels"] = (64, 128, 256, 256, 512) if wide else (32, 32, 64, 128, 128)
    else:
        published = published_widths(image_size)
        options["discriminator_channels"] = published if wide else tuple(max(1, width // 4) for width in published)
    if unconditional == "projected":
        return options | {
            "unconditional_channels": 1.0 if wide else 0.5,
            "unconditional_learning_rate": 2e-4,
            "unconditional_betas": (0.0, 0.99),
        }
    return options | {
        "unconditional_channels": 0.125,
        "unconditional_learning_rate": 5e-3,
        "unconditional_betas": (0.5, 0.99),
        "r1_gamma": _R1_GAMMA_OF_A_PIXEL * image_size[0] * image_size[1],
    }


CHOSEN_FOR_FEW_LABELS = frozenset(
    {"precision"}.union(*(_options((64, 64), trunk, False, None, None, None) for trunk in (None, "vgg16")))
)
"""Names of the options that the recipe chooses where they are not given."""
