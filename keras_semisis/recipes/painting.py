"""A model to paint with, and scenes to begin with."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from keras_semisis.data import Source, SyntheticScenes
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.gans import Sampler
from keras_semisis.options.paint import PaintOptions
from keras_semisis.paint import LOOPBACK
from keras_semisis.paint.easel import Easel
from keras_semisis.presets import built_in_presets
from keras_semisis.recipes.generating import load_gan
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.run_folder import read_settings, settings_beside
from keras_semisis.recipes.sources import open_data
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model

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
    easel = Easel(gan, Path(model).parent.name if Path(model).is_file() else str(model), _examples(gan, model, fit), fit)
    # what is compiled, is compiled before the first stroke
    height, width = gan.image_size
    easel.draw(np.zeros((height, width), "int32"), 0)
    return easel


def _examples(gan: Sampler, model: str, fit: str) -> list[np.ndarray]:
    source = _source(gan, model)
    if source is None:
        return []
    numbers = np.unique(np.linspace(0, len(source) - 1, _EXAMPLES).astype(int))
    return [fitted(source.load_label_map(int(i)), gan.image_size, fit) for i in numbers]


def _source(gan, model) -> Source | None:
    scenes = SyntheticScenes(num_scenes=_EXAMPLES, split="val", image_size=gan.image_size)
    if gan.label_space.class_names == scenes.label_space.class_names:
        return scenes
    settings = settings_beside(model)
    if settings is None:
        return None
    run = read_settings(settings.parent)
    try:
        found = open_data(
            run.data, gan.image_size, run.ignore_class, run.id_map, run.validation_data, label_space=gan.label_space, layout=run
        ).val
        gan.require_same_classes(data=found)
        return found
    except (ValueError, OSError) as error:
        tell(f"There are no examples to begin with, since the data of the run cannot be read: {error}")
        return None


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
