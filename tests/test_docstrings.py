"""Every example in the documentation of the package and of its suite runs, and every public name has a documentation."""

import doctest
import importlib
import importlib.util
import io
import pkgutil
from contextlib import redirect_stdout

import keras
import pytest

import benchmarks.paper
import keras_semisis


def modules(package):
    return sorted(
        module.name
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__")
    )  # importing it runs the program


MODULES = modules(keras_semisis)
BACKENDS = ("tensorflow", "jax", "torch")


def importable(name):
    """Of the engines, that of the backend in use; what needs Beam, where that is installed."""
    if name == "keras_semisis.data.beam":
        return importlib.util.find_spec("apache_beam") is not None
    engine = name.removeprefix("keras_semisis.gans.engines.")
    return engine not in BACKENDS or engine == keras.config.backend()


def public_names():
    for module in ["keras_semisis", *MODULES]:
        if importable(module):
            yield from ((module, name) for name in getattr(importlib.import_module(module), "__all__", ()))


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="the examples print what TensorFlow prints")
@pytest.mark.parametrize("name", [name for name in MODULES + modules(benchmarks.paper) if importable(name)])
def test_examples_run(name):
    policy, report = keras.config.dtype_policy(), io.StringIO()
    try:
        with redirect_stdout(report):
            failed, _ = doctest.testmod(importlib.import_module(name))
    finally:
        keras.config.set_dtype_policy(policy)
    assert failed == 0, report.getvalue()


@pytest.mark.parametrize(("module", "name"), public_names())
def test_every_public_name_has_a_docstring(module, name):
    value = getattr(importlib.import_module(module), name)
    if callable(value):
        # not one inherited from a Keras class
        own = value.__dict__.get("__doc__") if isinstance(value, type) else value.__doc__
        assert own and own.strip(), f"{module}.{name} has no docstring"
