"""The system that settings describe: its networks, at their widths, its weights and its optimizers."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_semisis import models
from keras_semisis.data import LabelSpace
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.gans.presets import PRESETS
from keras_semisis.gans.pretext import TCR, Cycle, Diversity
from keras_semisis.gans.semantic import SemanticGAN, published_depth, published_widths
from keras_semisis.layers import DiffAugment
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.models.projected_discriminators import WIDTHS as PROJECTED_WIDTHS
from keras_semisis.models.usis import DISCRIMINATOR_WIDTHS
from keras_semisis.options.methods import METHODS
from keras_semisis.options.train import TrainSettings

GENERATORS = ("wavelet", "oasis")
DISCRIMINATORS = ("oasis", "pretrained")
UNCONDITIONAL = ("wavelet", "projected")
# Squares of features that are not normalized: a decoder's on a frozen trunk are ten times those of OASIS's D
PRETRAINED_FEATURE_MATCHING = 0.1
PERCEPTUAL = (*PERCEPTUAL_NETWORKS, "none")
_CONDITIONAL: dict[str, tuple[Callable[..., keras.Model], Callable[..., keras.Model]]] = {
    "spade": (models.spade_generator, models.multiscale_discriminator),
    "cc_fpse": (models.cc_fpse_generator, models.fpse_discriminator),
}


def build_gan(settings: TrainSettings, space: LabelSpace, networks: Mapping[str, Any] | None = None) -> SemanticGAN:
    """The model of a run, compiled, with its initial weights.

    Args:
        settings: Its options.
        space: What its classes mean.
        networks: Networks by the names of the constructor's arguments, in place of those of the settings.

    Raises:
        ValueError: If an option is none of those that there are, or the image size does not fit the networks.
    """
    gan = METHODS[settings.method].system(**arguments_of(settings, space, networks))
    compile_gan(gan, settings)
    return gan


def arguments_of(settings: TrainSettings, space: LabelSpace, networks: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of a system's constructor: networks with weights drawn from the seed, and what the settings give.

    Args:
        settings, space, networks: As those of `build_gan`. Losses that the settings leave open suit the networks.
    """
    # again, since a segmenter that was built in between draws numbers too
    keras.utils.set_random_seed(settings.seed)
    arguments = {
        "num_classes": space.num_classes,
        "image_size": settings.image_size,
        "ignore_class": space.ignore_class,
        "label_space": space,
        "seed": settings.seed,
    }
    arguments |= (_conditional_networks if settings.method in _CONDITIONAL else _networks)(settings, space.num_classes)
    arguments |= networks or {}
    if _is_on_a_trunk(arguments.get("unconditional_discriminator")):
        arguments |= {"adversarial_loss": "hinge", "r1_gamma": 0.0}
    if _is_on_a_trunk(arguments.get("discriminator")) and settings.has_use_for("feature_matching_weight", settings.method):
        arguments["feature_matching_weight"] = PRETRAINED_FEATURE_MATCHING
    arguments |= settings.of_system
    if settings.perceptual is not None:
        arguments["perceptual"] = perceptual_network(settings.perceptual)
    if settings.augmentation:
        arguments["augmentation"] = diff_augment(space)
    if settings.method == "tcr" and settings.consistency_weight is not None:
        arguments["consistency"] = TCR(settings.consistency_weight)
    if settings.method == "semi_paired":
        arguments["pretext"] = _pretext(settings)
    return arguments


def _is_on_a_trunk(network):
    return network is not None and bool(models.frozen_features_of(network))


def _pretext(settings):
    """The paper's cycle, and what stands beside it where its weight is given."""
    tasks: list[Any] = [Cycle(confidence=settings.cycle_confidence or 0.0)]
    if settings.consistency_weight is not None:
        tasks.append(TCR(settings.consistency_weight))
    if settings.diversity_weight is not None:
        tasks.append(Diversity(settings.diversity_weight))
    return tasks


def compile_gan(gan: SemanticGAN, settings: TrainSettings) -> None:
    """Compiles a system with the preset and the optimizers of the settings."""
    preset = settings.preset or gan.default_preset
    require_choice("preset", preset, PRESETS)
    gan.compile(
        preset=preset,
        **{
            f"{owner}_optimizer": _adam(settings, owner, PRESETS[preset])
            for owner in ("generator", "discriminator")
            + (("unconditional",) if "unconditional_discriminator" in gan.network_names else ())
        },
    )


def _adam(settings, owner, preset):
    """The optimizer that the library takes by default, at another learning rate or β; None leaves it to the preset."""
    own = getattr(settings, f"{owner}_learning_rate")
    rate = settings.learning_rate if own is None else own
    betas = settings.unconditional_betas if owner == "unconditional" else None
    if rate is None and betas is None:
        return None
    if rate is None:
        rate = preset.get(f"{owner}_learning_rate", 0.0)  # a preset without one is not for this system, as `compile` says
    beta_1, beta_2 = betas or (0.0, preset["beta_2"])
    return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)


def _networks(settings, num_classes):
    """G, the network that segments, and D_u where there is one."""
    size, segmenting = settings.image_size, "segmenter" if settings.method == "usis" else "discriminator"
    networks = {
        "generator": make_generator(
            settings.generator,
            num_classes,
            size,
            settings.base_channels,
            settings.hidden_channels,
            **_given(settings, "noise_channels", "num_blocks", "detail_gain"),
        ),
        segmenting: segmenting_network(settings, num_classes, segmenting),
    }
    if settings.has_use_for("unconditional", settings.method):
        networks["unconditional_discriminator"] = _unconditional_discriminator(settings)
    return networks


def _conditional_networks(settings, num_classes):
    """G and the discriminator that is given the label map, of SPADE or CC-FPSE."""
    make_one, make_other = _CONDITIONAL[settings.method]
    widths = settings.discriminator_channels or (64,)
    if len(widths) > 1:
        raise ArgumentError(
            f"{{}}: --method {settings.method} takes one width, that of its discriminator's first layer, such as 64.",
            {"discriminator_channels": ",".join(map(str, widths))},
        )
    size, width, styles = settings.image_size, 4 * settings.base_channels, settings.latent_channels
    hidden, edges = settings.hidden_channels, settings.instance_edges
    return {
        "generator": make_one(num_classes, size, width, hidden_channels=hidden, latent_channels=styles, instance_edges=edges),
        "discriminator": make_other(num_classes, size, widths[0], instance_edges=edges),
        "encoder": None if styles is None else models.spade_encoder(size, width, styles),
    }


def make_generator(
    kind: str,
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int,
    hidden_channels: int,
    num_blocks: int | None = None,
    **arguments,
) -> keras.Model:
    """A waveletSPADE generator, or OASIS's with blocks as wide: where that has a pixel, this has four coefficients.

    Args:
        kind: "wavelet" or "oasis".
        num_classes, image_size, hidden_channels: As those of `models.oasis_generator`.
        base_channels: Width of the waveletSPADE generator; OASIS's has four times as many.
        num_blocks: Residual blocks; None is as many as fit, up to the published six.
        **arguments: Others that it has, such as ``noise_channels``, which both have, and ``detail_gain``.

    Raises:
        ValueError: If there is no such kind, it has no details, or the size does not fit.
    """
    require_choice("generator", kind, GENERATORS)
    depth, arguments = published_depth(image_size), {"hidden_channels": hidden_channels} | arguments
    if kind == "wavelet":
        return models.wavelet_spade_generator(
            num_classes, image_size, base_channels, num_blocks=num_blocks or depth, **arguments
        )
    if "detail_gain" in arguments:
        raise ArgumentError("{} is of the generator wavelet alone.", {"detail_gain": arguments["detail_gain"]})
    return models.oasis_generator(
        num_classes, image_size, 4 * base_channels, num_blocks=num_blocks or min(depth + 1, 6), **arguments
    )


def segmenting_network(settings: TrainSettings, num_classes: int, name: str) -> keras.Model:
    """OASIS's discriminator or one on a frozen trunk, which also segments for USIS, and leads back in ablation A.

    Raises:
        ValueError: If there is no such discriminator.
    """
    kind, trunk = settings.discriminator or "oasis", _given(settings, "trunk", "trunk_size")
    require_choice("discriminator", kind, DISCRIMINATORS)
    if kind == "pretrained":
        given: dict[str, Any] = {
            "channels": settings.discriminator_channels,
            "final_channels": settings.discriminator_final_channels,
        }
        return models.pretrained_discriminator(
            num_classes, settings.image_size, name=name, **trunk, **{k: v for k, v in given.items() if v is not None}
        )
    widths = settings.discriminator_channels or published_widths(settings.image_size)[: settings.num_blocks]
    final = {} if settings.discriminator_final_channels is None else {"final_channels": settings.discriminator_final_channels}
    return models.oasis_discriminator(num_classes, settings.image_size, widths, name=name, **final)


def diff_augment(space: LabelSpace) -> DiffAugment:
    """All policies, or, where no class stands for pixels that were shifted in or blanked out, colors alone."""
    if space.ignore_class is None:
        return DiffAugment(("color",))
    return DiffAugment(fill_class=space.ignore_class)


def perceptual_network(name: str) -> str | None:
    """What `--perceptual` names, as the systems take it."""
    require_choice("perceptual", name, PERCEPTUAL)
    return None if name == "none" else name


def _unconditional_discriminator(settings):
    kind, channels = settings.unconditional or "wavelet", settings.unconditional_channels
    require_choice("unconditional", kind, UNCONDITIONAL)
    if kind == "wavelet":
        return models.wavelet_discriminator(settings.image_size, _unconditional_widths(channels))
    if isinstance(channels, dict):
        raise ValueError("--unconditional projected takes a factor on its widths as --unconditional-channels, such as 0.5.")
    widths = tuple(max(1, round(width * (channels or 1))) for width in PROJECTED_WIDTHS)
    return models.projected_discriminator(
        settings.image_size, channels=widths, seed=settings.seed, **_given(settings, "trunk", "trunk_size")
    )


def _unconditional_widths(channels):
    if channels is None or isinstance(channels, dict):
        return channels
    return {key: max(1, round(width * channels)) for key, width in DISCRIMINATOR_WIDTHS.items()}


def _given(settings, *names):
    return {name: getattr(settings, name) for name in names if getattr(settings, name) is not None}
