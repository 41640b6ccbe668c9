"""Sampler: a generator that draws photos of label maps, and is scored."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
from keras import ops

from keras_semisis.data import LabelSpace
from keras_semisis.data.eight_bit import from_8_bit, to_8_bit
from keras_semisis.data.pictures.resizing import resize_image
from keras_semisis.data.stream.batch_rule import host_array
from keras_semisis.data.stream.own_batches import own_batches
from keras_semisis.distribution import predict
from keras_semisis.former_names import former_method
from keras_semisis.gans.any_size import AnySize
from keras_semisis.gans.batch_statistics import Calibration, batch_norms, batch_statistics, reestimate
from keras_semisis.gans.classes import KnowsClasses
from keras_semisis.gans.drawing import at_any_size, draw_tiles, draw_whole
from keras_semisis.gans.engines import engine
from keras_semisis.gans.fitting import refuse
from keras_semisis.gans.inversion import Inversion, search_noise
from keras_semisis.gans.noise import NoiseField, draw_noise
from keras_semisis.gans.tiles import Tiles
from keras_semisis.gans.untracked import Untracked
from keras_semisis.gans.validation import check_end, check_metrics, check_score_names, draws_for, joined_scores
from keras_semisis.layers import instance_edges
from keras_semisis.losses import LPIPSLoss
from keras_semisis.models.class_logits import class_logits
from keras_semisis.models.edges import reads_edges
from keras_semisis.models.functional import check_functional
from keras_semisis.models.lpips import lpips_features
from keras_semisis.models.trunk_families import refuse_relatives
from keras_semisis.processes import alone, is_first_process, number_of_processes


class _BuiltInPresets:
    """The models that this package has built in, by name, for `keras_semisis.from_preset`; read off the class too."""

    def __get__(self, instance, owner):
        from keras_semisis.presets.location import built_in_presets

        return built_in_presets()


@keras.saving.register_keras_serializable(package="keras_semisis")
class Sampler(KnowsClasses):
    """A generator that draws photos of label maps, and is scored: what an `AdversarialModel` is when it does not train.

    For a generator by itself, such as one of published weights: `generate`, `evaluate`, `metrics.evaluate_protocol`.

    Args:
        generator: Model from ``[label_map, noise]`` or ``[label_map]`` to images in [-1, 1]; a last input named ``edges`` is
            that of edges between instances.
        num_classes: Number of label ids, the don't-care class included; None is that of the label space, or of the generator's
            layers.
        image_size: ``(height, width)``; None is that of the generator's images.
        ignore_class: The don't-care id; None is that of the label space.
        label_space: What the classes mean, `data.LabelSpace`.
        seed: Seed of the noise under which batch-norm statistics are re-estimated.
        ema_generator: The moving average of the generator, which is what draws; None is the generator itself.
        encoder: Model from photos to ``[mean, log-variance]`` of the style that the generator takes as noise, such as
            `models.spade_encoder`; None for none.

    Example:

    >>> from keras_semisis import models
    >>> sampler = Sampler(models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4))
    >>> sampler.num_classes, sampler.image_size
    (4, (32, 32))
    >>> sampler.generate(np.zeros((1, 32, 32), "uint8"), seed=7).shape
    (1, 32, 32, 3)
    """

    network_names: tuple[str, ...] = ("generator",)
    eagerly = False
    _draw_statistics = Untracked()
    _metrics_of_compile = Untracked()
    _any_size = Untracked()  # its networks' layers are the generator's

    def __init__(
        self,
        generator: keras.Model,
        num_classes: int | None = None,
        image_size: tuple[int, int] | None = None,
        ignore_class: int | None = None,
        label_space: LabelSpace | None = None,
        seed: int = 0,
        ema_generator: keras.Model | None = None,
        encoder: keras.Model | None = None,
        **kwargs,
    ):
        check_functional({"generator": generator, "encoder": encoder})
        super().__init__(**kwargs)
        self.generator = generator
        self.encoder = encoder
        if encoder is not None:
            self.network_names = (*self.network_names, "encoder")
        self.ema_generator = generator if ema_generator is None else ema_generator
        self.num_classes, self.image_size = num_classes, image_size
        if ignore_class is not None:
            self.ignore_class = ignore_class
        self.label_space = label_space
        self.seed = seed
        self.built = True
        self._metrics_of_compile = None
        self._calibration: Calibration | None = None
        self._calibrated_at: int | None = None
        self._draw_statistics = None
        self._any_size = {}

    def __setattr__(self, name, value):
        former = getattr(self, name, None) if name in self.network_names else None
        if former is not None and value is not former:
            raise ValueError(
                f"{type(self).__name__}.{name}: this model has its {name.replace('_', ' ')} already, with a moving average or "
                "an optimizer that are made for it. Give the other to the constructor, or this one the other's weights: "
                f"model.{name}.set_weights(other.get_weights())"
                + (", and model.ema_generator, which draws, the same." if name == "generator" else ".")
            )
        super().__setattr__(name, value)

    @property
    def step(self) -> int:
        """Number of training steps done; a generator by itself does none."""
        return 0

    # -- the generator ----------------------------------------------------------------------------------------------

    @property
    def noise_channels(self) -> int:
        """Length of the generator's noise vector; 0 where it takes none."""
        noise = self.generator.inputs[1 : len(self.generator.inputs) - self.instance_edges]
        return noise[0].shape[-1] if noise else 0

    @property
    def instance_edges(self) -> bool:
        """Whether the generator reads edges between instances: `generate` then takes instance maps."""
        return reads_edges(self.generator)

    def call(self, inputs, training=False):
        """The moving-average generator."""
        self._check_generator_inputs(inputs)
        return self.ema_generator(inputs, training=training)

    def _check_generator_inputs(self, inputs):
        if len(self.generator.inputs) > 1 and not isinstance(inputs, list | tuple | dict):
            names = ["label_map"] + ["noise"] * bool(self.noise_channels) + ["edges"] * self.instance_edges
            call = "generate(label_maps, seed=0" + ", instances=instances" * self.instance_edges + ")"
            raise ValueError(
                f"The generator takes [{', '.join(names)}], not a label map alone. For photos of label maps call {call}, which "
                f"{'draws the noise' if self.noise_channels else 'finds the edges'}."
            )

    def synchronize(self) -> None:
        """After it the variables hold the state, also between two steps of `fit`."""

    synchronise = former_method("synchronise", "synchronize")

    # -- photos -----------------------------------------------------------------------------------------------------

    def generate(
        self,
        label_maps: Any,
        seed: int = 0,
        batch_size: int = 8,
        first: int | str | Sequence[str] = 0,
        *,
        style: Any = None,
        noise: Any = None,
        resample: Sequence[tuple[Any, int]] | None = None,
        instances: Any = None,
        tile_size: tuple[int, int] | None = None,
        overlap: int | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> np.ndarray:
        """Photos for label maps of any size, from the moving-average generator.

        The noise of map i depends on the seed and on its number ``first + i`` alone, or on its name. It is the same on every
        backend, at every size, and for an image in whatever batch it is computed: ``generate(maps, seed)[i]`` is
        ``generate(maps[i], seed, first=i)``, and the photo that the command line draws for ``street.png`` is ``generate(map,
        seed, first="street")``.

        A label map is drawn at its own size. What things look like depends on their size in pixels: photos resemble those of
        the training where label maps have its scale. Sides that the generator's strides do not divide (32 for OASIS's) are
        continued by reflection of the label map, and the photo is cut. The first photos of a size wait for its compilation.

        What does not fit into memory is drawn in tiles. Where these overlap by twice the distance from which an edge is seen
        (`tile_reach`), the photo is that of the whole label map to a gray level; else neighbors are blended over the overlap.

        Args:
            label_maps: ``(B, H, W)`` of any integer dtype, or one map ``(H, W)``.
            seed: Seed of the noise.
            batch_size: How many images, or tiles, are computed at once.
            first: Number of the first map; or the maps' names, as many as there are maps, or the one of one map. The command
                line takes those of the files, without folder and ending.
            style: Photos in whose style to draw, as `encode` takes them, one for each label map or one for all; or the styles
                themselves, floats ``(B, noise_channels)``, such as the means that `encode` gives.
            noise: In place of what the seed draws: a vector an image, ``(B, noise_channels)``, such as `noise_of_seed` gives,
                or a map ``(B, H, W, noise_channels)``; without B for one label map.
            resample: ``[(region, seed), ...]``: there the noise is that of the seed, as if the image were drawn by it. A
                region is a class name or id, or a mask, boolean ``(H, W)`` or ``(B, H, W)``; where regions overlap the last
                counts. The rest stays as near as the network allows: beyond the reach of its kernels (`tile_reach`, and a
                stride less one) to a gray level.
            instances: For a generator that reads edges between instances: integers of the label maps' shape, in which every
                thing has a number of its own. ``instances=label_maps`` draws by the edges between classes alone.
            tile_size: ``(height, width)`` of tiles, multiples of the strides; None draws label maps whole.
            overlap: Pixels that neighboring tiles share at least; None is as many as make the photo that of the whole label
                map, or half a tile where none are, as with instance normalization, or a tile is too small.
            progress: Called with (tiles done, tiles in all).

        Returns:
            uint8 ``(B, H, W, 3)``, or ``(H, W, 3)`` for one map.

        Raises:
            ValueError: If names and maps differ in number; the generator is of one size alone, as one that makes its first
                feature map of a style; tiles do not fit; noise or regions are not of label maps and generator; or instance maps
                are missing, or are given to a generator that does not read them.
            DataError: If an id is none of the classes, or shape or dtype are others.
        """
        label_maps = host_array(label_maps)
        single = label_maps.ndim == 2
        images = self.generate_floats(
            label_maps[None] if single else label_maps,
            seed,
            batch_size,
            first,
            style=_of_one(style) if single else style,
            noise=_of_one(noise) if single else noise,
            resample=resample,
            instances=host_array(instances)[None] if single and instances is not None else instances,
            tile_size=tile_size,
            overlap=overlap,
            progress=progress,
        )
        photos = to_8_bit(images)
        return photos[0] if single else photos

    def generate_floats(
        self,
        label_maps: Any,
        seed: int = 0,
        batch_size: int = 8,
        first: int | str | Sequence[str] = 0,
        *,
        style: Any = None,
        noise: Any = None,
        resample: Sequence[tuple[Any, int]] | None = None,
        instances: Any = None,
        tile_size: tuple[int, int] | None = None,
        overlap: int | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> np.ndarray:
        """As `generate`, before the images are rounded to 8 bits.

        Args:
            label_maps: Integers ``(B, H, W)``.
            seed, batch_size, first, style, noise, resample, instances, tile_size, overlap, progress: As in `generate`.

        Returns:
            float32 ``(B, H, W, 3)`` in [-1, 1].

        Raises:
            ValueError, DataError: As `generate` raises them.
        """
        label_maps = self.batch_rule.of_any_size().label_maps(label_maps, "generate")
        self.refresh_statistics()
        if style is not None:
            if noise is not None:
                raise ValueError("style, noise: a style takes the place of the noise. Give one of them.")
            noise = self._styles(style, len(label_maps))
        inputs = [label_maps, *self._noise(label_maps, seed, first, noise, resample or ()), *self._edges(label_maps, instances)]
        network = self._at_any_size(self.ema_generator)

        def drawn(inputs):
            if tile_size is None:
                return draw_whole(network, inputs, batch_size)
            tiles = Tiles.over(inputs[0].shape[1:], tile_size, overlap, self.tile_reach(), network.multiple)
            return draw_tiles(network, inputs, tiles, batch_size, progress)

        return at_any_size(network, inputs, drawn)

    def noise_of_seed(self, seed: int = 0, count: int = 1, first: int | str | Sequence[str] = 0) -> np.ndarray:
        """The noise of which `generate` draws label maps.

        Args:
            seed, first: As in `generate`.
            count: Number of label maps.

        Returns:
            float32 ``(count, noise_channels)``.

        Raises:
            ValueError: If names and label maps differ in number.
        """
        return draw_noise(seed, first, count, self.noise_channels)

    def encode(self, photos: Any) -> tuple[np.ndarray, np.ndarray]:
        """The styles of photos: a normal distribution each, of which the encoder learned to draw.

        Args:
            photos: ``(B, H, W, 3)`` or ``(H, W, 3)``, uint8, or float in [-1, 1]. Those of another size than the encoder's are
                resized to it.

        Returns:
            Mean and logarithm of the variance, float32 ``(B, noise_channels)`` or ``(noise_channels,)`` each. The mean is what
            ``generate(label_maps, style=photos)`` draws by; ``mean + exp(log_variance / 2) * noise`` are styles like it.

        Raises:
            ValueError: If there is no encoder.
            DataError: If the photos are something else.

        Example:

        >>> from keras_semisis import models
        >>> generator = models.spade_generator(4, (32, 32), base_channels=1, latent_channels=8, hidden_channels=4)
        >>> sampler = Sampler(generator, encoder=models.spade_encoder((32, 32), base_channels=1, latent_channels=8))
        >>> photos = np.zeros((2, 32, 32, 3), "uint8")
        >>> mean, log_variance = sampler.encode(photos)
        >>> mean.shape, sampler.generate(np.zeros((2, 32, 32), "uint8"), style=photos).shape
        ((2, 8), (2, 32, 32, 3))
        """
        if self.encoder is None:
            raise ValueError(
                "encode, style: the model has no encoder of photos. SPADEGAN and CCFPSE have one if they are built with "
                "encoder=; a generator by itself is given it by Sampler(generator, encoder=...)."
            )
        photos = host_array(photos)
        images = self.batch_rule.of_any_size().photos(photos if photos.ndim != 3 else photos[None], "encode")
        size = tuple(self.encoder.inputs[0].shape[1:3])
        if images.shape[1:3] != size:
            images = np.stack([from_8_bit(resize_image(to_8_bit(image), size)) for image in images])
        found = [np.asarray(output, "float32") for output in predict(self.encoder, [images], batch_size=8)]
        mean, log_variance = found if photos.ndim != 3 else [output[0] for output in found]
        return mean, log_variance

    def invert(
        self,
        photo: Any,
        label_map: Any,
        steps: int = 200,
        learning_rate: float = 0.05,
        seed: int = 0,
        features: keras.Model | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ) -> Inversion:
        """The noise of which the generator's image is nearest to a photo in LPIPS, so that the photo can be edited.

        It is searched by gradient descent, from the noise of a seed at every pixel. ``generate(edited_label_map,
        noise=found.noise)`` then keeps what the noise says of the rest. How near it comes is a matter of the generator:
        `Inversion.gained` tells, and a network that hears little of its noise gains little.

        Args:
            photo: ``(H, W, 3)``, uint8, or float in [-1, 1].
            label_map: ``(H, W)``, of any integer dtype: multiples of `size_multiple`, at least 31.
            steps: Number of steps of Adam.
            learning_rate: Its rate.
            seed: Seed of the noise with which it begins.
            features: The network of the distance, as `models.lpips_features` makes it; None is LPIPS of VGG16 (extra
                ``offline``).
            progress: Called with (steps done, steps in all).

        Returns:
            The noise, its image, and the distances before and after.

        Raises:
            ValueError: If the generator takes no noise, photo and label map differ in size, or the strides do not divide it.
            DataError: If photo or label map are something else.
            ModuleNotFoundError: If the package with the weights of LPIPS is not installed.

        Example:

        >>> from keras_semisis import models
        >>> generator = models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4, num_blocks=2, hidden_channels=4)
        >>> features = models.lpips_features("alexnet", weights=None)
        >>> photo, label_map = np.zeros((32, 32, 3), "uint8"), np.zeros((32, 32), "uint8")
        >>> found = Sampler(generator).invert(photo, label_map, steps=1, features=features)
        >>> found.noise.shape, found.after <= found.before
        ((32, 32, 4), True)
        """
        if not self.noise_channels:
            raise ValueError("invert: the generator takes no noise: it draws one photo of a label map.")
        if self.instance_edges:
            raise ValueError("invert: the generator reads edges between instances, which the search does not know.")
        rule = self.batch_rule.of_any_size()
        images = rule.photos(host_array(photo)[None], "invert")
        label_maps = rule.label_maps(host_array(label_map)[None], "invert")
        size, network = label_maps.shape[1:], self._at_any_size(self.ema_generator)
        if images.shape[1:3] != size:
            raise ValueError(f"invert: the photo is {images.shape[1:3]} (height, width), its label map {size}.")
        if size != network.size and any(side % network.multiple for side in size):
            raise ValueError(f"invert: {size} (height, width): expected multiples of {network.multiple}. Crop both.")
        self.refresh_statistics()
        noise = self.noise_of_seed(seed)
        if not any(isinstance(layer, keras.layers.Dense) for layer in self.generator.layers):
            noise = np.broadcast_to(noise[:, None, None], (1, *size, self.noise_channels)).copy()
        distance = LPIPSLoss(lpips_features("vgg16") if features is None else features)
        found, before, after = search_noise(network, distance, label_maps, images, noise, steps, learning_rate, progress)
        return Inversion(found[0], before, after, self.generate(label_maps, noise=found)[0])

    def _styles(self, style, count):
        """Noise of photos or styles."""
        style = host_array(style)
        if style.ndim == 4:
            style, _ = self.encode(style)
        if style.ndim == 2 and len(style) == 1:
            style = np.repeat(style, count, axis=0)
        if style.shape != (count, self.noise_channels):
            raise ValueError(
                f"style: {style.shape} for {count} label maps; photos (B, H, W, 3), or styles (B, {self.noise_channels}), are "
                "expected, one for each label map or one for all."
            )
        return style

    def _noise(self, label_maps, seed, first, noise, resample):
        """What the generator is given beside label maps: nothing, or noise for each of them."""
        count, channels = len(label_maps), self.noise_channels
        if not channels:
            if noise is not None or resample:
                raise ValueError("noise, resample: the generator takes no noise: it draws one photo of a label map.")
            return []
        if noise is None:
            noise = self.noise_of_seed(seed, count, first)
        else:
            noise = host_array(noise).astype("float32", copy=False)
            if noise.shape not in ((count, channels), (*label_maps.shape, channels)):
                raise ValueError(
                    f"noise: its shape is {noise.shape}; {(count, channels)} is expected, or {(*label_maps.shape, channels)} "
                    "for a map. noise_of_seed(seed, count) draws vectors."
                )
        if noise.ndim == 2 and not resample:
            return [noise]
        if any(isinstance(layer, keras.layers.Dense) for layer in self.generator.layers):
            raise ValueError(
                "noise, resample: the generator makes its first feature map of one vector, its style, which cannot differ "
                "between pixels. Give a vector for each image."
            )
        regions = [(self._region(region, label_maps), draw_noise(seed, first, count, channels)) for region, seed in resample]
        if noise.ndim == 4:
            noise = noise.copy() if regions else noise
            for mask, vectors in regions:
                noise[mask] = np.repeat(vectors, mask.sum((1, 2)), axis=0)
            return [noise]
        places = np.zeros(label_maps.shape, "int32")
        for number, (mask, _) in enumerate(regions, start=1):
            places[mask] = number
        return [NoiseField(np.stack([noise, *(vectors for _, vectors in regions)], axis=1), places)]

    def _edges(self, label_maps, instances):
        """What the generator is given last: nothing, or the edges between instances."""
        if not self.instance_edges:
            if instances is not None:
                raise ValueError("instances: the generator does not read edges between instances. Leave them out.")
            return []
        if instances is None:
            raise ValueError(
                "generate: the generator reads edges between instances. Give instances=, integers of the label maps' shape in "
                "which every thing has a number of its own; instances=label_maps draws by the edges between classes alone."
            )
        return [ops.convert_to_numpy(instance_edges(self.batch_rule.instance_maps(instances, label_maps, "generate")))]

    def _region(self, region, label_maps):
        """The mask ``(B, H, W)`` of a class or of a mask."""
        if isinstance(region, str):
            names = () if self.label_space is None else self.label_space.class_names
            if region not in names:
                known = f"there are {', '.join(names)}" if names else "the model does not know its classes' names; give an id"
                raise ValueError(f"resample: {region!r} is no class; {known}.")
            return label_maps == names.index(region)
        if isinstance(region, int | np.integer):
            if not 0 <= region < cast(int, self.num_classes):
                raise ValueError(f"resample: {region} is no class; they are 0 to {cast(int, self.num_classes) - 1}.")
            return label_maps == region
        mask = host_array(region)
        if mask.dtype != bool or mask.shape not in (label_maps.shape, label_maps.shape[1:]):
            raise ValueError(
                f"resample: a mask is {mask.shape} {mask.dtype}; a boolean one of {label_maps.shape[1:]}, as the label maps, "
                "is expected."
            )
        return np.broadcast_to(mask, label_maps.shape)

    # no properties: Keras asks for the value of each when it saves or loads a model
    def size_multiple(self) -> int:
        """What the height and width of a label map are multiples of where `generate` draws it as it is, not continued.

        Raises:
            ValueError: If the generator is of one size alone.
        """
        return self._at_any_size(self.ema_generator).multiple

    def tile_reach(self) -> int | None:
        """How many pixels from a tile's edge its image is not that of the whole label map; None for everywhere.

        It is measured once, by drawing random label maps whole and cut: up to 191 for OASIS's generator of six blocks.
        """
        self.refresh_statistics()
        return self._at_any_size(self.ema_generator).reach(cast(int, self.num_classes))

    def _at_any_size(self, network):
        known = self._any_size.get(id(network))
        if known is None or known.network is not network:
            known = self._any_size[id(network)] = AnySize(network)
        return known

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
    ) -> Any:
        """Images in [-1, 1] from the inputs of the moving-average generator, as Keras's predict; `generate` draws the noise.

        Raises:
            ValueError: For label maps without noise, where the generator takes some; where several processes train.
        """
        if number_of_processes() > 1:
            raise ValueError("predict: Keras has it for one process. generate draws in several.")
        if hasattr(x, "shape"):
            self._check_generator_inputs(x)
        self.refresh_statistics()
        return super().predict(x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)

    def export(
        self,
        filepath: str | Path,
        format: str | None = None,
        part: str = "generator",
        batch_size: int | None = None,
    ) -> dict[str, Any]:
        """Writes the moving-average generator, or the network that segments, for programs without this package and Keras.

        The generator's file takes ``label_map``, int32 ``(B, H, W)`` of class ids, and, where the generator takes them,
        ``noise``, float32 ``(B, noise_channels)`` drawn from N(0, 1), and ``edges``, float32 ``(B, H, W, 1)``, 1 on edges;
        it gives ``photo``, uint8 ``(B, H, W, 3)``. The other takes ``photo`` and gives ``label_map``. Names and colors of the
        classes, the rule of stored ids, and versions are in the file's metadata (ONNX), in ``keras_semisis.json`` in the folder
        (SavedModel) or beside the file (LiteRT, ``NAME.tflite.json``). See docs/exporting.md.

        Args:
            filepath: A file ``.onnx`` or ``.tflite``, or a folder.
            format: ``"onnx"``, on every backend; ``"tf_saved_model"``, on TensorFlow and JAX; ``"litert"``, on TensorFlow. None
                is that of the path's ending.
            part: ``"generator"`` or ``"segmenter"``.
            batch_size: How many items the file takes at once; None is any number, and one in a LiteRT file.

        Returns:
            What the metadata say.

        Raises:
            ArgumentError: If an argument cannot be, or the model has no such network.
            ValueError: If the backend does not write the format, or the path has another format's ending.
            ModuleNotFoundError: If packages of the extra ``export`` are missing.
        """
        from keras_semisis.exports import export

        return export(self, filepath, format, part, batch_size)

    def segmentation_logits(self, photos: Any) -> np.ndarray:
        """What the network that segments says of each pixel, before the arg max that is a label map.

        Args:
            photos: ``(B, H, W, 3)`` or ``(H, W, 3)``, uint8, or float in [-1, 1].

        Returns:
            float32 ``(B, H, W, num_classes)`` or ``(H, W, num_classes)``, -∞ for the don't-care class; the fake class is left
            out.

        Raises:
            ValueError: If the model has no such network.
            DataError: If the photos are something else.
        """
        if self.segmenting_network is None:
            raise ValueError("This model has no network that segments: its method trains none, or it was saved without.")
        photos = host_array(photos)
        images = self.batch_rule.of_any_size().photos(photos if photos.ndim != 3 else photos[None], "segment")
        network = self._at_any_size(self.segmenting_network)
        logits = at_any_size(network, [images], lambda inputs: network.predict(inputs, batch_size=8))
        logits = class_logits(logits, self.ignore_class).astype("float32")
        return logits if photos.ndim != 3 else logits[0]

    def segment(self, photos: Any) -> np.ndarray:
        """Label maps of photos: the arg max over the real classes, the don't-care class left out.

        Args:
            photos: As `segmentation_logits` takes them.

        Returns:
            int32 ``(B, H, W)`` or ``(H, W)``, in the label space's ids.

        Raises:
            ValueError, DataError: As `segmentation_logits` raises them.
        """
        return self.segmentation_logits(photos).argmax(-1).astype("int32")

    @property
    def segmenting_network(self) -> keras.Model | None:
        """The network that segments photos, from images to logits, the fake class first; None where there is none."""
        return None

    # -- batch-norm statistics --------------------------------------------------------------------------------------

    def refresh_statistics(self) -> None:
        """Re-estimates the moving-average generator's batch-norm statistics on training label maps, if it has moved.

        `generate`, `evaluate`, saving and the end of `fit` do so by themselves. The next training step overwrites them.
        """
        self.synchronize()
        if self._calibration is None or self._calibrated_at == self.step:
            return
        if batch_norms(self.ema_generator) and (label_maps := self._calibration.label_maps()):
            if self._draw_statistics is None:
                function = batch_statistics(self.ema_generator)
                self._draw_statistics = function if self.eagerly else engine.compiled(function)
            reestimate(self.ema_generator, self._draw_statistics, self._calibration_inputs(label_maps))
        self._calibrated_at = self.step

    def _calibration_inputs(self, label_maps):
        noise = np.random.default_rng(self.seed)
        for label_map, *instances in label_maps:
            inputs = [ops.convert_to_tensor(label_map, "int32")]
            if self.noise_channels:
                draw = noise.standard_normal((len(label_map), self.noise_channels))
                inputs.append(ops.convert_to_tensor(draw, "float32"))
            yield inputs + [instance_edges(part) for part in instances]

    def calibrate(self, calibration: Calibration | None, at: int | None = None) -> tuple[Calibration | None, int | None]:
        """Takes label maps for the statistics.

        Args:
            calibration: The label maps, or None.
            at: Step at which the statistics are already theirs, or None.

        Returns:
            The former two.
        """
        former = self._calibration, self._calibrated_at
        self._calibration, self._calibrated_at = calibration, at
        return former

    @contextmanager
    def statistics_of(self, dataset: Any, batches: int) -> Iterator[None]:
        """Inside, the moving-average generator's batch-norm statistics are those of the first batches of a data set.

        Args:
            dataset: Batches as `evaluate` takes them.
            batches: Number of batches; a shorter data set repeats.
        """
        weights = self.ema_generator.get_weights()
        dataset = own_batches(dataset, self.batch_rule, "statistics_of")
        former = self.calibrate(Calibration(dataset, batches))
        try:
            yield
        finally:
            self.calibrate(*former)
            self.ema_generator.set_weights(weights)

    # -- scores -----------------------------------------------------------------------------------------------------

    @property
    def trunks(self) -> dict[str, list[str]]:
        """The families of pretrained networks that this model was trained with, by what they stood in."""
        return {}

    def check_judges(self, metrics: Any) -> None:
        """Refuses metrics whose networks are of a family that this model was trained with.

        Args:
            metrics: Objects as those of `keras_semisis.metrics`.

        Raises:
            ValueError: Naming the networks, their family, and where it trained.
        """
        networks = [network for metric in metrics for network in getattr(metric, "networks", ())]
        refuse_relatives(self.trunks, {getattr(network, "name", "a judge"): network for network in networks})

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        metrics: Any = None,
        seed: int = 0,
        steps: int | None = None,
        verbose: int | str = "auto",
        batch_size: int | None = None,
        return_dict: bool = True,
        **others,
    ) -> dict[str, float]:
        """Scores of one generated image per label map (of several for `metrics.Diversity`), beside those of the real images.

        Args:
            x: Data set of batches as `fit` takes them, ``(image, label_map)``, or ``(image, label_map, instances)`` of a model
                that reads edges between instances; a tuple of such arrays; or an array of images in [-1, 1] or uint8. They may
                be of any size, at which `generate` then draws.
            y: The label maps, where x is an array.
            metrics: Objects as those of `keras_semisis.metrics`; None is those given to `compile`.
            seed: Seed of the noise.
            steps: Number of batches; None is all.
            verbose: Whether the scores are printed.
            batch_size: Of arrays; None is 8.
            return_dict: Always true here; accepted so that Keras's evaluate and this are called alike.
            **others: Keras's other arguments of evaluate, which have no use here. One that is set is named in an error.

        Returns:
            Dict of scores, as each metric names them; those of real images end in ``_real``.

        Raises:
            ValueError: If no metrics were given here or to `compile`, two give a score of one name, a network of theirs may not
                judge this model (see `check_judges`), or the data set has no end and ``steps`` is None.
            TypeError: For an argument that there is not.
            DataError: If photos or label maps are not what the model takes, or the data set's classes are others.
        """
        refuse("evaluate", others)
        check_metrics(metrics, "evaluate: metrics")
        metrics = self.metrics_of_compile if metrics is None else metrics
        if not metrics:
            raise ValueError(
                "evaluate needs metrics=[...], here or in compile: for example "
                "keras_semisis.metrics.GeneratedMeanIoU(segmenter)."
            )
        check_score_names(metrics)
        self.check_judges(metrics)
        self.require_same_classes(
            x=x, **{f"the segmenter of {metric.name}": metric.segmenter for metric in metrics if hasattr(metric, "segmenter")}
        )
        for metric in metrics:
            metric.reset_state()
        done, draws = 0, max(getattr(metric, "draws", 1) for metric in metrics)
        for image, label_map, *instances in self._batches_of(self.batch_rule.of_any_size(), x, y, steps, batch_size):
            how = {"instances": instances[0]} if instances else {}
            generated = [
                self.generate_floats(label_map, seed + draw, batch_size=len(label_map), first=done, **how)
                for draw in range(draws)
            ]
            done += len(label_map)
            for metric in metrics:
                metric.update_state(label_map, image, draws_for(metric, generated))
        scores = joined_scores(metric.result() for metric in metrics)
        if verbose:
            print(", ".join(f"{name}: {value:.4g}" for name, value in scores.items()))
        return scores

    @property
    def metrics_of_compile(self):
        """What `evaluate` and the validation of `fit` compute: ``metrics`` of `compile`, or what is set.

        A loaded model has none. To set them leaves the optimizers as they are, which `compile` would begin anew.
        """
        return self._metrics_of_compile

    @metrics_of_compile.setter
    def metrics_of_compile(self, metrics):
        check_metrics(metrics, "metrics of compile")
        self._metrics_of_compile = metrics

    def evaluation_batches(
        self, x: Any, y: Any = None, steps: int | None = None, batch_size: int | None = None
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """The batches that `evaluate` reads, checked, and of the training's size: those of a validation."""
        return self._batches_of(self.batch_rule, x, y, steps, batch_size)

    def _batches_of(self, rule, x, y, steps, batch_size):
        if y is None:
            check_end(x, steps)
        given = x if y is None else (x, y)
        return itertools.islice(iter(own_batches(given, rule, "evaluate", batch_size=batch_size or 8, training=False)), steps)

    # -- presets ----------------------------------------------------------------------------------------------------

    presets = _BuiltInPresets()

    def save_to_preset(self, folder: Any, **options) -> None:
        """Writes the moving-average generator and what its classes mean as a folder that `keras_semisis.from_preset` reads.

        Args:
            folder: The folder.
            **options: Those of `keras_semisis.presets.save_to_preset`.
        """
        from keras_semisis.presets import save_to_preset

        save_to_preset(self, folder, **options)

    # -- save -------------------------------------------------------------------------------------------------------

    def save(self, filepath: str | Path, *args, **kwargs) -> None:
        """Saves the model as Keras does; of several processes, all of which have to call it, the first writes."""
        self.refresh_statistics()
        if is_first_process():
            with alone():  # Keras makes variables to compare with
                super().save(filepath, *args, **kwargs)

    def save_weights(self, filepath: str | Path, *args, **kwargs) -> None:
        """Saves the weights as Keras does; of several processes, all of which have to call it, the first writes."""
        self.refresh_statistics()
        if is_first_process():
            with alone():
                super().save_weights(filepath, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        names = [*self.network_names, *self._further_networks()]
        networks = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names}
        return (
            super().get_config()
            | networks
            | {
                "num_classes": self._num_classes,
                "image_size": self._image_size,
                "ignore_class": self.ignore_class,
                "label_space": self.label_space and keras.saving.serialize_keras_object(self.label_space),
                "seed": self.seed,
            }
        )

    def _further_networks(self):
        """Names of arguments that are networks, beside ``network_names``."""
        return [] if self.ema_generator is self.generator else ["ema_generator"]

    @classmethod
    def from_config(cls, config, custom_objects=None):
        def restored(value):
            if isinstance(value, list):
                return [restored(item) for item in value]
            is_object = isinstance(value, dict) and "class_name" in value
            return keras.saving.deserialize_keras_object(value, custom_objects) if is_object else value

        return cls(**{name: restored(value) for name, value in config.items()})


def _of_one(values):
    """Noise or style of one label map, as for a batch of one."""
    if values is None:
        return None
    values = host_array(values)
    return values[None] if values.ndim % 2 else values
