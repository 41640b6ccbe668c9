"""Attributes that Keras neither tracks nor saves."""

from typing import Any

import keras


class Untracked(property):
    """An attribute of an `AdversarialModel` that Keras, TensorFlow and PyTorch neither track nor save.

    Whatever layer, variable or optimizer they find in an attribute, or in a list or dict in one, is part of the model for them:
    its variables are the model's, and a file holds its weights. That is wrong for a network that is made of another's layers,
    and for one that only judges. Declared in the class, such an attribute is written and read as any other. It can be a
    property too, with a getter and a setter.

    Example:

    >>> from keras_semisis.gans.sampler import Sampler
    >>> class Judged(Sampler):
    ...     judge = Untracked()
    >>> image = keras.Input((8, 8, 3))
    >>> sampler = Judged(keras.Model(image, keras.layers.Activation("tanh")(image)))
    >>> sampler.judge = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    >>> len(sampler.judge.variables), len(sampler.variables)
    (2, 0)
    """

    def __init__(self, fget: Any = None, fset: Any = None, fdel: Any = None, doc: str | None = None):
        super().__init__(fget or self._read, fset or self._write, fdel, doc)

    def __set_name__(self, owner, name):
        self._name = name

    def _read(self, model):
        try:
            return model.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{type(model).__name__}.{self._name} was not set yet.") from None

    def _write(self, model, value):
        model.__dict__[self._name] = value


class HasUntracked(keras.Model):
    """A model whose `Untracked` attributes are what they say."""

    def __setattr__(self, name, value):
        # on its way to a property's setter a model would be tracked, and TensorFlow leaves out what the getter returns already
        if isinstance(getattr(type(self), name, None), property) and not hasattr(keras.Model, name):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __dir__(self):
        # of these names Keras saves whatever has weights
        return [name for name in super().__dir__() if not isinstance(getattr(type(self), name, None), Untracked)]
