"""`AdversarialModel.summary`: networks, phases, and who learns in which."""

import re

import numpy as np
import pytest

from tests.gans.tiny import tiny_gan


def tables(gan):
    """The text, and the rows of both tables by their first column, each a list of columns."""
    printed = []
    gan.summary(print_fn=printed.append)
    (text,) = printed
    networks, _, phases = text.partition("who learns")
    rows = [[re.split(r"  +", line.strip()) for line in part.splitlines()] for part in (networks, phases)]
    return text, *({row[0]: row[1:] for row in part if len(row) > 2} for part in rows)


def test_networks_phases_and_who_learns_in_which():
    gan = tiny_gan()
    text, networks, phases = tables(gan)
    assert text.startswith("SemiPairedGAN 'semi_paired_gan") and "5 classes, 16×32, step 0" in text
    learned, frozen = gan.generator.trainable_variables, gan.generator.non_trainable_variables
    counts = [sum(np.prod(v.shape, dtype=int) for v in part) for part in (learned, frozen)]
    assert networks["generator"] == ["16×32, 4 → 16×32×3", *(f"{count:,}" for count in counts), "generator, unpaired"]
    assert networks["unconditional_discriminator"][-1] == "unconditional"
    assert networks["ema_generator"][0] == f"{sum(counts):,}"
    assert networks["discriminator"][0] == "16×32×3 → 16×32×6" and networks["discriminator"][-1] == "discriminator"
    assert phases["unpaired"] == ["generator", "cycle + adversarial"]
    # γ/2 · k of the paper's preset, at every fourth step
    assert phases["unconditional"] == ["unconditional_discriminator", "fake + real + 2.5 r1 (every 4 steps)"]


def test_a_discriminator_that_learns_from_unpaired_data_says_so():
    _, _, phases = tables(tiny_gan(freeze_discriminator=False))
    assert phases["unpaired"] == ["generator, discriminator", "cycle + adversarial"]


def test_a_moving_average_of_ones_own_has_a_row():
    gan = tiny_gan()
    averages = gan.moving_averages() | {"unconditional_discriminator": gan.unconditional_discriminator}
    gan.moving_averages = lambda: averages
    _, networks, _ = tables(gan)
    assert networks["ema_unconditional_discriminator"][-1] == "no phase: the moving average"
    assert networks["ema_generator"][-1] == "no phase: the moving average, which generates"


def test_before_compile_there_are_networks_alone():
    text, networks, phases = tables(tiny_gan(compile=False))
    assert networks["generator"][0] == "16×32, 4 → 16×32×3" and not phases
    assert "compile gives them their weights" in text


def test_what_is_about_layers_is_refused():
    gan = tiny_gan(compile=False)
    with pytest.raises(ValueError, match=r"summary: expand_nested has no use here; .*gan\.generator\.summary\(\)"):
        gan.summary(expand_nested=True)
    with pytest.raises(TypeError, match="no argument linelength"):
        gan.summary(linelength=80)
