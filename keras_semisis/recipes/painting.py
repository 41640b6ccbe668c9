"""A model to paint with, and scenes to begin with."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from keras_semisis.options.paint import PaintOptions
from keras_semisis.paint import LOOPBACK
from keras_semisis.paint.easel import Easel
from keras_semisis.presets import built_in_presets
from keras_semisis.recipes.example_maps import example_label_maps
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan

_EXAMPLES = 12


def open_easel(options: PaintOptions) -> Easel:
    """The model that is to draw, with label maps of its data as examples, as far as these are at hand.

    Raises:
        ValueError: If there is no such model, or none was named and none is built in.
        ModuleNotFoundError: If a package is missing.
    """
    model = options.model
    if model is None:
        model = next(iter(built_in_presets()), None)
    if model is None:
        raise ValueError("No model is built in in this version. Give one: a .keras file of train, or a preset.")
    gan = load_gan(model)
    label_space_of_model(gan, model)
    fit = fit_of_model(options.fit, model)
    name = Path(model).parent.name if Path(model).is_file() else str(model)
    easel = Easel(gan, name, example_label_maps(gan, model, _EXAMPLES, fit), fit)
    # what is compiled, is compiled before the first stroke
    height, width = gan.image_size
    easel.draw(np.zeros((height, width), "int32"), 0)
    return easel


def serve(easel: Easel, host: str, port: int, opened: Callable[[str], None]) -> None:
    """Serves the page until it is interrupted.

    Args:
        easel: What draws.
        host: Address that it is served at.
        port: Its port; 0 is any that is free.
        opened: Called with the page's address as soon as it answers.

    Raises:
        ModuleNotFoundError: If the packages of the extra ``paint`` are missing.
        OSError: If the port is taken.
    """
    try:
        import uvicorn

        from keras_semisis.paint import server
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"paint needs {error.name}: pip install 'keras-semisis[paint]'.") from error
    hosts = LOOPBACK if host in LOOPBACK else ("*",)
    with server.listening(host, port) as socket:
        address = f"http://{f'[{host}]' if ':' in host else host}:{socket.getsockname()[1]}/"

        class Server(uvicorn.Server):
            async def startup(self, sockets=None):
                await super().startup(sockets)
                opened(address)

        with suppress(KeyboardInterrupt):
            Server(uvicorn.Config(server.make_app(easel, hosts), log_level="warning", lifespan="off")).run(sockets=[socket])
