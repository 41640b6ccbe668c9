"""Engine for PyTorch: autograd, eagerly."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import keras
import torch
from torch.optim.adam import adam

from keras_semisis.gans.engines.keras_predict import predict  # noqa: F401  # a part of the engine

JIT_BY_DEFAULT = False
_ADAM = type(keras.optimizers.Adam())  # Keras's class for this backend, of which AdamW's is another


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


def input_gradient(fn, x, variables):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(fn(x), x, create_graph=True)[0]


def apply(ok, fn, variables):
    if ok:
        with torch.no_grad():
            fn()


def descend(optimizer, gradients, variables):
    if _is_adam(optimizer):
        optimizer._parallel_update_step = lambda *args: _adam_step(optimizer, *args)
        try:
            optimizer.apply(gradients, variables)
        finally:
            del optimizer._parallel_update_step
    else:
        optimizer.apply(gradients, variables)


def _is_adam(optimizer):
    step = getattr(type(optimizer), "_parallel_update_step", None)
    return step is _ADAM._parallel_update_step and not optimizer.amsgrad


def _adam_step(optimizer, gradients, variables, learning_rate):
    """What `keras.optimizers.Adam` does in ten passes over the weights, in one: PyTorch's own."""
    slots = [optimizer._get_variable_index(variable) for variable in variables]
    weights = [variable.value for variable in variables]
    firsts, seconds = ([moments[i].value for i in slots] for moments in (optimizer._momentums, optimizer._velocities))
    if not all(tensor.is_contiguous() for tensor in (*weights, *firsts, *seconds)):
        # of tensors that lie otherwise in memory PyTorch's would mix up the elements
        type(optimizer)._parallel_update_step(optimizer, gradients, variables, learning_rate)
        return
    before, betas = int(optimizer.iterations), (optimizer.beta_1, optimizer.beta_2)
    first, second = (1 - beta ** (before + 1) for beta in betas)  # by which PyTorch corrects the moments
    # what Keras corrects by, in float32
    keras_first, keras_second = (1 - torch.tensor(beta) ** torch.tensor(before + 1.0) for beta in betas)
    adam(
        weights,
        [gradient.contiguous() for gradient in gradients],
        firsts,
        seconds,
        [],
        list(torch.full((len(weights),), float(before), device=weights[0].device).unbind()),
        fused=True,
        amsgrad=False,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        lr=float(float(learning_rate) * torch.sqrt(keras_second) / keras_first) * first / second**0.5,
        weight_decay=0.0,
        eps=optimizer.epsilon / second**0.5,  # Keras adds it before the correction
        maximize=False,
    )


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
