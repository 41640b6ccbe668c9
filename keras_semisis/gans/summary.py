"""What `AdversarialModel.summary` prints: networks, phases, and who learns in which."""

import io
import math
from typing import Any

import keras
from keras import ops
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def summary_of(model: Any, line_length: int | None = None) -> str:
    """Two tables: the networks with the phases that they learn in, and the phases with their loss terms.

    Args:
        model: The `AdversarialModel`. Before `compile` its phases have no weights yet, and are left out.
        line_length: Width of the tables in characters; None is what they need.

    Returns:
        The text.
    """
    phases = model.phases() if model.compiled else ()
    lines = io.StringIO()
    console = Console(file=lines, width=line_length or 200, no_color=True, legacy_windows=False)
    console.print(escape(_head(model)), highlight=False)
    console.print(_networks(model, phases))
    if phases:
        console.print(_phases(phases))
    else:
        console.print("Phases: compile gives them their weights.", highlight=False)
    return "\n".join(line.rstrip() for line in lines.getvalue().splitlines())


def _head(model):
    facts = [f"{type(model).__name__} {model.name!r}"]
    if model.num_classes is not None:
        facts.append(f"{model.num_classes} classes")
    if model.image_size is not None:
        facts.append("{}×{}".format(*model.image_size))
    return ", ".join([*facts, f"step {model.step}"])


def _networks(model, phases):
    table = Table("network", "in → out", "learned", "frozen", "learns in", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in model.network_names:
        network = getattr(model, name)
        where = [phase.name for phase in phases if name in phase.trains and phase.terms]
        table.add_row(name, escape(_shapes(network)), *_counts(network), ", ".join(where))
    uses = {"generator": ", which generates", "discriminator": ", which gives pseudo-labels"}
    for name, average in model.moving_averages().items():
        table.add_row(f"ema_{name}", "", "", _counts(average)[1], f"no phase: the moving average{uses.get(name, '')}")
    return table


def _shapes(network):
    def shape(tensor):
        return "×".join(map(str, tensor.shape[1:]))

    return " → ".join(", ".join(map(shape, keras.tree.flatten(side))) for side in (network.inputs, network.outputs))


def _counts(network):
    learned = sum(math.prod(v.shape) for v in network.trainable_variables)
    return f"{learned:,}", f"{sum(math.prod(v.shape) for v in network.non_trainable_variables):,}"


def _phases(phases):
    table = Table("phase", "who learns", "terms", box=box.SIMPLE_HEAD, pad_edge=False)
    for phase in phases:
        terms = [_term(phase, term, weight) for term, weight in phase.terms.items()]
        table.add_row(phase.name, ", ".join(phase.trains), escape(" + ".join(terms)))
    return table


def _term(phase, term, weight):
    if isinstance(weight, keras.Variable):
        weight = float(ops.convert_to_numpy(weight.value))
    text = term if weight == 1 else f"{weight:g} {term}"
    every = phase.every.get(term, 1)
    return text if every == 1 else f"{text} (every {every} steps)"
