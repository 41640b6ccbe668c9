"""The three backends: gradients, compiled functions and the form of Keras's train step. All backend code lives here.

An engine is a module with

- ``outside(variables)``: the state mapping that a phase's scope needs for variables that it does not train;
- ``value_and_gradients(fn, variables)``: ``fn`` maps tensors, the values of ``variables``, to ``(scalar, aux)``;
  returns ``(scalar, aux, gradients)``;
- ``input_gradient(fn, x, variables)``: the gradient of the scalar ``fn(x)`` with respect to the tensor x, itself
  differentiable; ``variables`` are all that ``fn`` reads, and it may assign to them;
- ``apply(ok, fn, variables)``: runs ``fn``, which assigns to ``variables``, if the boolean scalar ``ok`` is true;
- ``descend(optimizer, gradients, variables)``: ``optimizer.apply`` as the backend does it best, for the ``fn`` of ``apply``;
- ``check_distribution(model)``: refuses ways to several devices that it does not know;
- ``has_accelerator()``: whether there is a device that is faster than the CPU;
- ``predict(network, inputs, batch_size)``: what a network gives for all items of its inputs, NumPy arrays, so many at once;
- ``compiled(fn)``: ``fn`` from tensors to tensors, without gradients, compiled where the backend compiles;
- ``TrainStep``: a base class that gives `keras.Model` the backend's ``train_step`` around ``iterate(data)``;
  ``run(key, fn, *args)``: ``fn(*args)``, which reads and assigns the model's variables, compiled once for each key;
  ``forget_compiled()``, after which it is compiled anew, and which a model calls before its first step; and
  ``synchronize()``, after which the variables hold the state, also between two steps of ``fit``;
- ``JIT_BY_DEFAULT``: whether XLA compiles where the user leaves it open;
- ``other_processes()``: a context in which an error of the communication with other processes is a `processes.ProcessLost`.

JAX's alone has what `keras_semisis.processes` and `keras_semisis.distribution` need of several processes: ``join``,
``has_joined``, ``devices_of_processes``, ``of_first_process``, ``in_any_process`` and ``leave``.
"""

from importlib import import_module
from typing import Any

import keras

engine: Any = import_module(f"{__name__}.{keras.config.backend()}")
