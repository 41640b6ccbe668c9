"""`keras-semisis train`: a run, from the beginning or from its last checkpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, errors, print_report, say
from keras_semisis.options.hosts import HostOptions
from keras_semisis.options.option import option_name, options_of
from keras_semisis.options.resume import ResumeOptions
from keras_semisis.options.train import TrainSettings

if TYPE_CHECKING:
    from keras_semisis.recipes.training import Run


@command("train", TrainSettings, ResumeOptions, HostOptions)
def train(given: Given) -> None:
    """Trains a semi-paired GAN, or a method to compare with, on photos of your own.

    Ctrl-C, or a file that cannot be used, leaves a run that --resume goes on with.
    """
    from keras_semisis.processes import leave

    try:
        if given.values["resume"] is not None:
            _go_on(given)
        else:
            _begin(given)
    except BaseException:
        leave()
        raise


def _begin(given: Given) -> None:
    if given.values["data"] is None:
        raise ValueError("train needs --data (such as camvid:PATH, folder:PATH or synthetic), or --resume RUN.")
    from keras_semisis.cli.commands.check import check_files
    from keras_semisis.recipes import training
    from keras_semisis.recipes.choice import chosen_settings, leaves_few_labels
    from keras_semisis.recipes.known_data import check_data
    from keras_semisis.recipes.terminal_progress import TerminalProgress
    from keras_semisis.recipes.trained_models import load_gan

    check_data(given.values["data"])
    values = _values_of(given)
    # what can be seen to be wrong before the others are waited for
    training.refuse_a_second_run(TrainSettings(**{name: value for name, value in values.items() if name != "image_size"}))
    first = _join(given, values["devices"])
    # only then may JAX compute: models are read, and devices looked at
    model = None if values["adapt"] is None else load_gan(values["adapt"], "--adapt")
    settings = chosen_settings(values, given.by_hand, model)
    if given.values["check"] and first:
        check_files(settings)
    run = training.begin(settings, TerminalProgress(console), model)
    _tell_of_data(run)
    recipe = None
    if settings.recipe == "few_labels":
        recipe = f"few_labels: {networks_of(run)}. --recipe paper has the paper's networks."
    elif leaving := leaves_few_labels(values, given.by_hand):
        recipe = (
            f"paper, as {', '.join(map(option_name, leaving))} {'is' if len(leaving) == 1 else 'are'} given. "
            "Beside --recipe few_labels the rest would be as for few labels and a short training."
        )
    if recipe is not None:
        say(f"Recipe {recipe}")
    _train(run)


def networks_of(run: Run) -> str:
    """What a run that follows the recipe has in fact: some of it may be chosen by hand, or be the model's of ``--adapt``."""
    from keras_semisis.models import frozen_features_of

    generator = "the waveletSPADE generator" if run.settings.generator == "wavelet" else "OASIS's generator"
    if run.settings.adapt is not None:
        generator = f"the generator of {run.settings.adapt}"
    frozen = [
        f"{short} on a frozen {layer.trunk}"
        for name, short in (("discriminator", "D"), ("unconditional_discriminator", "D_u"))
        for layer in frozen_features_of(getattr(run.gan, name))
    ]
    return ", ".join([generator, *(frozen or ["no pretrained discriminators"])])


def _join(given: Given, devices: str | None) -> bool:
    """Joins the other processes, if there are any. Returns whether this is the first, which alone tells what happens."""
    from keras_semisis.processes import is_first_process
    from keras_semisis.recipes.devices import use_devices

    use_devices(devices, given.of(HostOptions))
    console.quiet = not is_first_process()
    return not console.quiet


def _values_of(given: Given) -> dict[str, Any]:
    """The options of a new run as far as they are known before a model is read: what is given, and what has a usual value."""
    from keras_semisis.data.argument_error import ArgumentError
    from keras_semisis.joining import coordinator_of_environment
    from keras_semisis.recipes.adapting import affinity_given, refuse_options_of_generator

    values = {name: given.values[name] for name in options_of(TrainSettings)}
    coordinator = given.values["coordinator"] or coordinator_of_environment()
    if values["adapt"] is not None:
        refuse_options_of_generator(given.by_hand)
    if values["affinity"] is not None:
        values["affinity"] = affinity_given(values["affinity"])
    if values["output"] is None and coordinator:
        raise ArgumentError("{} is missing: several processes are told their run folder, the same all.", {"output": ...})
    values["output"] = values["output"] or time.strftime("runs/train-%Y%m%d-%H%M%S")
    return values


def _go_on(given: Given) -> None:
    declared = options_of(TrainSettings) | options_of(ResumeOptions) | options_of(HostOptions)
    extra = ", ".join(sorted(option_name(name) for name in given.by_hand if not declared[name].of_resume))
    if extra:
        raise ValueError(f"--resume takes all settings from the run folder: leave {extra} out.")
    from keras_semisis.cli.commands.check import check_files
    from keras_semisis.recipes import training
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    values = given.values
    skip_bad = values["skip_bad"] if "skip_bad" in given.by_hand else None
    settings = training.settings_to_go_on(
        values["resume"], skip_bad, values["id_map"], values["ignore_class"], values["devices"]
    )
    if _join(given, settings.devices) and values["check"]:
        check_files(settings)
    run = training.go_on(settings, TerminalProgress(console))
    _tell_of_data(run)
    _train(run)


def _tell_of_data(run: Run) -> None:
    say(
        ", ".join(
            f"{number} {'for validation' if name == 'validation' else name.replace('_', ' ')}"
            for name, number in run.data.counts.items()
        )
    )


def _train(run: Run) -> None:
    from keras_semisis.data import DataError
    from keras_semisis.processes import ProcessLost
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    try:
        done = run.train(TerminalProgress(console))
    except ProcessLost:
        say(
            f"Go on from the last checkpoint, with as many processes and devices as there are, by --resume {run.folder}",
            errors,
        )
        raise
    except DataError:
        kept = "What was learned is kept." if run.gan.step > run.start else "Nothing was learned yet."
        if run.gan.step > run.start and not (run.folder / "last.keras").exists():  # in the steps that are timed
            kept = "Nothing was saved yet."
        say(
            f"Stopped at step {run.gan.step} of {run.settings.steps}: a file cannot be used. {kept} Correct the file and go "
            f"on with: keras-semisis train --resume {run.folder}\n--skip-bad and --id-map may be added to that, and "
            "--check, which finds all such files first.",
        )
        raise
    except OSError:  # such as of a full disk
        say(
            f"Stopped at step {run.gan.step} of {run.settings.steps}. When what is wrong is put right, go on from the last "
            f"checkpoint with: keras-semisis train --resume {run.folder}",
            errors,
        )
        raise
    print_report(run.data.bad_files)
    if done:
        say(f"Done. The model is {run.folder / 'last.keras'}")
    else:
        say(f"Stopped at step {run.gan.step} of {run.settings.steps}. Go on with: keras-semisis train --resume {run.folder}")
