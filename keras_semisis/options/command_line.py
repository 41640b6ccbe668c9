"""Options as they are typed."""

import shlex
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from keras_semisis.options.methods import METHODS
from keras_semisis.options.option import option_name, options_of


def command_line(settings: Any, also: Collection[str] = ()) -> str:
    """The options that are not at their default, or that of the method, as they are typed.

    Args:
        settings: A dataclass of options.
        also: Names of those that are written at their default, too, unless that is None.

    Example:

    >>> from keras_semisis.options.train import TrainSettings
    >>> command_line(TrainSettings("synthetic", "runs/a", method="spade", image_size=(48, 64), id_map=("255=11", "254=11")))
    '--data synthetic --id-map 255=11 --id-map 254=11 --output runs/a --method spade --image-size 48x64'
    """
    declared, words = options_of(type(settings)), list[str]()
    method = METHODS.get(getattr(settings, "method", ""))
    for field in fields(settings):
        name, value = field.name, getattr(settings, field.name)
        usual = value in (field.default, getattr(method, name, field.default))
        # an option that is off cannot be typed
        if value is None or (usual and (name not in also or value is False)):
            continue
        option, typed = declared[name], option_name(name)
        if option.form is not None:
            words += [typed, option.form.write(value)]
        elif isinstance(value, bool):
            words.append(typed if value else typed.replace("--", "--no-", 1))
        else:
            words += [word for each in (value if isinstance(value, tuple) else (value,)) for word in (typed, str(each))]
    return shlex.join(words)
