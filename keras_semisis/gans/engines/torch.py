"""Engine for PyTorch: autograd, eagerly."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch

JIT_BY_DEFAULT = False


def outside(variables):
    """Nothing: variables outside a phase are read as they are."""
    return []


def value_and_gradients(fn, variables):
    values = [v.value.detach().requires_grad_() for v in variables]
    with torch.enable_grad():
        loss, aux = fn(values)
        gradients = torch.autograd.grad(loss, values, allow_unused=True)
    gradients = [torch.zeros_like(v) if g is None else g for v, g in zip(values, gradients, strict=True)]
    return loss.detach(), _detached(aux), gradients


def input_gradient(fn, x):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(fn(x), x, create_graph=True)[0]


def apply(ok, fn, variables):
    if ok:
        with torch.no_grad():
            fn()


def check_distribution(model):
    """Nothing to refuse."""


def other_processes():
    return nullcontext()


def has_accelerator():
    return torch.cuda.is_available()


def compiled(fn):
    return torch.no_grad()(fn)


def _detached(aux):
    if isinstance(aux, torch.Tensor):
        return aux.detach()
    if isinstance(aux, dict):
        return {key: _detached(value) for key, value in aux.items()}
    if isinstance(aux, list | tuple):
        return type(aux)(_detached(value) for value in aux)
    return aux


class TrainStep:
    """`keras.Model.train_step` on PyTorch."""

    # of the model
    notice_frozen_layers: Callable[[], None]
    iterate: Callable[[Any], dict[str, Any]]

    def forget_compiled(self):
        pass

    def train_step(self, data):
        self.notice_frozen_layers()
        return self.iterate(data)

    def synchronize(self):
        pass

    def run(self, key, fn, *args):
        return fn(*args)
