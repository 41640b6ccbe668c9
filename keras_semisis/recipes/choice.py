"""Which recipe a run follows."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.gans import Sampler
from keras_semisis.models import frozen_features_of
from keras_semisis.models.trunks import TRUNKS
from keras_semisis.options.option import options_of
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.adapting import OPTIONS_OF_ROLES, networks_brought, options_of_generator
from keras_semisis.recipes.few_labels_recipe import few_labels_options
from keras_semisis.recipes.known_data import default_sizes
from keras_semisis.recipes.run_folder import options_beside
from keras_semisis.recipes.systems import DISCRIMINATORS, UNCONDITIONAL
from keras_semisis.recipes.trained_models import load_gan

RECIPES = ("few_labels", "paper")
# Where time limits a run and not their number
MOST_STEPS_OF_MINUTES = 1_000_000
# Each a network that learns from nothing and one on frozen features
_KINDS = {"discriminator": DISCRIMINATORS, "unconditional": UNCONDITIONAL}
_RATES_BY_WIDTH = ("unconditional_learning_rate", "unconditional_betas", "r1_gamma")
# Beyond, the paper's networks have the time that they need
_SHORT = 20_000


def with_recipe(options: Mapping[str, Any], given: Collection[str], model: Sampler | None = None) -> dict[str, Any]:
    """Fills in what a recipe chooses.

    Without a name, a training of `SemiPairedGAN` of up to 20,000 steps, or of some minutes, follows ``"few_labels"``, unless an
    option `leaves_few_labels`; every other follows ``"paper"``, which is what the constructors do.

    Args:
        options: Of a run, by the names of `TrainSettings`. ``trunk`` may be ``"none"`` here: few labels without pretrained
            networks.
        given: Names of those that were chosen by hand, which no recipe replaces.
        model: That of ``adapt``, if there is one. What follows from networks follows from those that it brings.

    Returns:
        The options of the run, with the recipe's name. Methods other than `SemiPairedGAN` have but one.

    Raises:
        ValueError: If there is no such recipe, or it does not fit the method.
        ModuleNotFoundError: If the package with the weights of the recipe's frozen network is not installed.
    """
    name, trunk = options["recipe"], options["trunk"]
    if name is None:
        name = "few_labels" if _is_short(options) and not leaves_few_labels(options, given) else "paper"
    require_choice("recipe", name, RECIPES)
    if name == "paper":
        if trunk == "none":
            raise ValueError(
                "--trunk none is of --recipe few_labels: name that, or leave it out, since discriminators are "
                "then not pretrained unless --discriminator or --unconditional says so."
            )
        _refuse_an_idle_trunk(options)
        return {**options, "recipe": name if options["method"] == "semi_paired" else options["recipe"]}
    if options["method"] != "semi_paired":
        raise ValueError(f"--recipe few_labels is for --method semi_paired. Leave it out with --method {options['method']}.")
    if trunk not in (None, "none", *TRUNKS):
        raise ArgumentError(f"{{}}: expected one of {', '.join(TRUNKS)}, or none.", {"trunk": trunk})
    brought = {} if model is None else networks_brought(model, options)
    kinds = {role: options[role] for role in _KINDS}
    for role, network in brought.items():
        kinds[role] = _KINDS[role][bool(frozen_features_of(network))]
    try:
        chosen = few_labels_options(
            options["image_size"], None if trunk == "none" else trunk or "vgg16", generator=options["generator"], **kinds
        )
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"--recipe few_labels: {error}. Or go on without pretrained networks: --trunk none. --recipe "
            "paper has the paper's networks, for long trainings."
        ) from None
    if model is not None:
        chosen = _without_networks_of(model, brought, chosen, options)
    return {**options, "trunk": None, **{k: v for k, v in chosen.items() if k == "trunk" or k not in given}, "recipe": name}


def _without_networks_of(model, brought, chosen, options):
    """What the recipe chooses beside networks that a model brings."""
    rates_by_width = "unconditional" in brought and chosen["unconditional"] == UNCONDITIONAL[0]
    theirs = set(options_of_generator()).union(*(OPTIONS_OF_ROLES[role] for role in brought))
    chosen = {name: value for name, value in chosen.items() if name not in theirs}
    if rates_by_width:  # of which its training knew
        before = options_beside(options["adapt"])
        chosen |= {name: before[name] for name in _RATES_BY_WIDTH if before.get(name) is not None}
    return chosen


def leaves_few_labels(options: Mapping[str, Any], given: Collection[str]) -> list[str]:
    """Names of the options by which a short training of `SemiPairedGAN` follows ``"paper"``, though no recipe is named.

    These are a network, loss or rate that is given, and weights to begin with that are not of a run of few labels.

    Args:
        options, given: As `with_recipe` takes them.
    """
    if options["recipe"] is not None or not _is_short(options):
        return []
    found = [name for name, declared in options_of(TrainSettings).items() if declared.is_by_hand and name in given]
    if "init" in found and options_beside(options["init"]).get("recipe") == "few_labels":
        found.remove("init")
    return found


def _is_short(options):
    return options["method"] == "semi_paired" and (options["steps"] <= _SHORT or options["minutes"] is not None)


def _refuse_an_idle_trunk(options):
    if options["discriminator"] != "pretrained" and options["unconditional"] != "projected":
        for name in ("trunk", "trunk_size"):
            if options[name] is not None:
                raise ArgumentError(
                    "{}: no discriminator is on a frozen network here. Leave it out, or give --recipe few_labels, or "
                    "--discriminator pretrained or --unconditional projected.",
                    {name: options[name]},
                )


def settings_to_begin(data: str, output: str, model: Sampler | None = None, **options: Any) -> TrainSettings:
    """The settings of a new run as the command `train` chooses them.

    Args:
        data, output: As in `TrainSettings`.
        model: That of ``adapt``, if it has been loaded.
        **options: Its other options, as far as they are chosen by hand. The size of the photos is by default that of the model,
            or of published results on the data; with ``minutes`` alone, steps are as many as fit; a recipe chooses networks and
            rates, as `with_recipe` says.

    Raises:
        TypeError: If there is no such option.
        ValueError: If options do not fit together.
        ModuleNotFoundError: If the package with the weights of the recipe's frozen network is not installed.

    Example:

    >>> settings = settings_to_begin("synthetic:40", "runs/first", image_size=(32, 48), trunk="none")
    >>> settings.recipe, settings.generator, settings.ema_decay
    ('few_labels', 'oasis', 0.999)
    """
    defaults = {field.name: field.default for field in fields(TrainSettings)} | {"image_size": None}
    return chosen_settings({**defaults, **options, "data": data, "output": output}, options, model)


def chosen_settings(options: Mapping[str, Any], given: Collection[str], model: Sampler | None = None) -> TrainSettings:
    """Settings of a run from all its options.

    Args:
        options: By the names of `TrainSettings`; no size is what suits.
        given: Names of those that were chosen by hand.
        model: As `settings_to_begin` takes it.
    """
    options = dict(options)
    if model is None and options["adapt"] is not None:
        model = load_gan(options["adapt"], "--adapt")
    if options["image_size"] is None:
        size, load = default_sizes(options["data"]) if model is None else (model.image_size, None)
        options |= {"image_size": size, "load_size": options["load_size"] or load}
    if options["minutes"] is not None and "steps" not in given:
        options["steps"] = MOST_STEPS_OF_MINUTES
    return TrainSettings(**with_recipe(options, given, model))
