"""What is public says its types: that of every argument, and of what is returned."""

import inspect

import pytest

import keras_semisis as ks

PACKAGES = [
    ks,
    *(
        ks.data,
        ks.layers,
        ks.losses,
        ks.metrics,
        ks.metrics.protocols,
        ks.models,
        ks.callbacks,
        ks.gans,
        ks.checkpoints,
        ks.recipes,
    ),
]
# Keras calls these; what they take is a tensor or a shape
OF_KERAS = {"call", "build", "get_config", "from_config", "compute_output_shape", "train_step"}
OF_KERAS |= {"save_own_variables", "load_own_variables"}


def functions(package):
    """What a package makes public, with the public methods of its classes."""
    for name, item in vars(package).items():
        if name.startswith("_") or not getattr(item, "__module__", "").startswith("keras_semisis"):
            continue
        if inspect.isfunction(item):
            yield name, item
        if not inspect.isclass(item):
            continue
        for key, method in vars(item).items():
            method = getattr(method, "__func__", method)
            public = key == "__init__" or not (key.startswith(("_", "on_")) or key in OF_KERAS)
            if inspect.isfunction(method) and public:
                yield f"{name}.{key}", method


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_what_is_public_says_its_types(package):
    found, without = 0, []
    for name, function in functions(package):
        found += 1
        signature = inspect.signature(function)
        several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        arguments = [
            each for each in signature.parameters.values() if each.name not in ("self", "cls") and each.kind not in several
        ]
        without += [f"{name}({each.name})" for each in arguments if each.annotation is each.empty]
        if signature.return_annotation is signature.empty and not name.endswith("__init__"):
            without.append(f"{name} -> ?")
    assert found and not without
