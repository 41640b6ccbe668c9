"""The networks of CC-FPSE: a generator whose kernels the layout predicts, and a feature-pyramid discriminator."""

from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers import BatchNorm, InstanceNorm, SpectralConv2D
from keras_semisis.layers.class_map import class_map
from keras_semisis.layers.conditional_residual_block import ConditionalResidualBlock
from keras_semisis.layers.convolve import in_layout_of_backend
from keras_semisis.models.edges import edges_input, with_edges
from keras_semisis.models.image_size import check_image_size
from keras_semisis.models.oasis import StartMap, semantic_inputs

# Halvings between the image and the start of the generator
HALVINGS = {"normal": 5, "more": 6}
GENERATOR_BLOCKS = {"head_0": 16, "G_middle_0": 16, "G_middle_1": 16, "up_0": 8, "up_1": 4, "up_2": 2, "up_3": 1}


@keras.saving.register_keras_serializable(package="keras_semisis")
class SpectralStage(keras.layers.Layer):
    """Spectrally normalized convolution without bias, normalization and leaky ReLU.

    ``norm`` is ``"batch"``, with scale and offset, or ``"instance"``, without. With ``num_classes`` the input is a label map.
    """

    def __init__(
        self, filters: int, kernel_size: int, strides: int = 1, norm: str = "batch", num_classes: int | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.norm_name = norm
        self.num_classes = num_classes
        dtype = self.dtype_policy
        self.conv = SpectralConv2D(filters, kernel_size, strides, use_bias=False, name="conv", dtype=dtype)
        self.norm = (
            BatchNorm(affine=True, name="norm", dtype=dtype) if norm == "batch" else InstanceNorm(name="norm", dtype=dtype)
        )

    def _channels_shape(self, input_shape):
        return input_shape if self.num_classes is None else (*input_shape[:3], self.num_classes)

    def build(self, input_shape) -> None:
        self.conv.build(self._channels_shape(input_shape))
        self.norm.build(self.compute_output_shape(input_shape))

    def call(self, x, training=False):
        if self.num_classes is not None:
            x = class_map(x, self.num_classes, self.compute_dtype)
        x = self.conv(x, training=training)
        x = self.norm(x, training=training) if self.norm_name == "batch" else self.norm(x)
        return ops.leaky_relu(x, 0.2)

    def compute_output_shape(self, input_shape):
        return self.conv.compute_output_shape(self._channels_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "norm": self.norm_name,
            "num_classes": self.num_classes,
        }


def label_pyramid(label_map: Any, num_classes: int, filters: int, halvings: int) -> list:
    """Feature maps of the label map, the coarsest first: an encoder, and a decoder with lateral connections."""
    encoded = [SpectralStage(filters, 3, num_classes=num_classes, name="labelenc1")(label_map)]
    for i in range(2, halvings + 2):
        encoded.append(SpectralStage(filters, 3, strides=2, name=f"labelenc{i}")(encoded[-1]))
    pyramid = [encoded.pop()]
    for i in range(1, halvings + 1):
        lateral = SpectralStage(filters, 1, name=f"labellat{i}")(encoded.pop())
        x = keras.layers.UpSampling2D(2, name=f"labelup{i}")(pyramid[-1])
        x = keras.layers.Add(name=f"labeladd{i}")([x, lateral])
        pyramid.append(SpectralStage(filters, 3, name=f"labeldec{i}")(x))
    return pyramid


def cc_fpse_generator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 64,
    hidden_channels: int = 128,
    upsampling: str = "normal",
    latent_channels: int | None = None,
    instance_edges: bool = False,
    name: str = "generator",
) -> keras.Model:
    """The CC-FPSE generator: residual blocks whose depthwise kernels and gates are predicted from the layout.

    Args:
        num_classes: Number of label ids, the don't-care class included (reference ``semantic_nc``).
        image_size: ``(height, width)``, multiples of 32; of 64 with ``upsampling="more"``.
        base_channels: Width of the last block and of the maps that encode the labels (reference ``ngf``).
        hidden_channels: Width of the hidden maps that predict kernels, gates and SPADE, 128 in the published networks.
        upsampling: ``"normal"``: the blocks start at 1/32 of the image; ``"more"``, the form for Cityscapes: at 1/64.
        latent_channels: Length of a latent vector that the first map is made of (reference ``z_dim``); None makes it of the
            label map.
        instance_edges: Whether it also reads the edges between instances, one channel more beside those of the classes in every
            convolution of the label map; reference ``semantic_nc`` is then ``num_classes + 1``.
        name: Name of the model.

    Returns:
        A model from ``[label_map]``, integer ``(B, H, W)``, or ``[label_map, noise]`` with ``latent_channels``, noise float
        ``(B, latent_channels)``, to images float32 ``(B, H, W, 3)`` in [-1, 1]. With ``instance_edges`` a last input ``edges``,
        float ``(B, H, W, 1)``, is 1 on edges, as `layers.instance_edges` makes it.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do, or ``upsampling`` is unknown.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> cc_fpse_generator(num_classes=4, image_size=(32, 64), base_channels=1, hidden_channels=8).output_shape
    (None, 32, 64, 3)
    """
    if upsampling not in HALVINGS:
        raise ValueError(f"cc_fpse_generator: upsampling={upsampling!r}: expected one of {', '.join(map(repr, HALVINGS))}.")
    halvings = HALVINGS[upsampling]
    height, width = check_image_size(f'cc_fpse_generator with upsampling="{upsampling}"', image_size, 2**halvings)
    inputs = semantic_inputs((height, width), latent_channels)
    label_map, *noise = inputs
    if instance_edges:
        inputs, label_map, num_classes = with_edges(inputs, num_classes)
    pyramid = iter(label_pyramid(label_map, num_classes, base_channels, halvings))
    start = (height // 2**halvings, width // 2**halvings, GENERATOR_BLOCKS["head_0"] * base_channels)
    if noise:
        x = keras.layers.Dense(start[0] * start[1] * start[2], name="fc")(noise[0])
        x = keras.layers.Reshape(start, name="start")(x)
    else:
        x = StartMap(start[2], num_classes, start[:2], name="fc")([label_map])
    for block, filters in GENERATOR_BLOCKS.items():
        if block == "head_0":
            features = next(pyramid)
        elif block != "G_middle_1" or upsampling == "more":
            x = keras.layers.UpSampling2D(2, name=f"upsample_{block}")(x)
            features = next(pyramid)
        x = ConditionalResidualBlock(filters * base_channels, num_classes, hidden_channels, name=block)(
            [x, label_map, features]
        )
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Conv2D(3, 3, padding="same", name="conv_img")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name=name)


@keras.saving.register_keras_serializable(package="keras_semisis")
class FeatureStage(SpectralStage):
    """A stage whose output is one of the discriminator's features."""

    is_feature_block = True


@keras.saving.register_keras_serializable(package="keras_semisis")
class LabelEmbedding(keras.layers.Layer):
    """A 1×1 convolution of one-hot labels (and edges), averaged over cells of 4×4 pixels."""

    def __init__(self, filters: int, num_classes: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.conv = keras.layers.Conv2D(filters, 1, name="conv", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        self.conv.build((*self.compute_output_shape(input_shape)[:-1], self.num_classes + len(input_shape) - 1))

    def call(self, inputs):
        label_map, *edges = inputs
        semantics = [ops.one_hot(label_map, self.num_classes, dtype=self.compute_dtype), *edges]
        # averaging and a 1×1 convolution commute: convolving last is a sixteenth of the work
        cells = [in_layout_of_backend(lambda x, layout: ops.average_pool(x, 4, 4, data_format=layout), x) for x in semantics]
        return self.conv(ops.concatenate(cells, axis=-1))

    def compute_output_shape(self, input_shape):
        batch, height, width = input_shape[0]
        return (batch, height // 4, width // 4, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="keras_semisis")
class SemanticsHead(keras.layers.Layer):
    """``tf(x) + Σ_channels embedding · seg(x)``: how real the features are, and how well they match the labels."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tf = keras.layers.Conv2D(1, 1, name="tf", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        x_shape, embedding_shape = input_shape
        self.tf.build(x_shape)
        self.seg = keras.layers.Conv2D(embedding_shape[-1], 1, name="seg", dtype=self.dtype_policy)
        self.seg.build(x_shape)

    def call(self, inputs):
        x, embedding = inputs
        return self.tf(x) + ops.sum(embedding * self.seg(x), axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], 1)


def fpse_discriminator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 64,
    instance_edges: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """The feature-pyramid semantics-embedding discriminator of CC-FPSE: predictions of patches at three scales.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, multiples of 32, at least one of them 64: instance normalization at 1/32 of the size
            would turn a single pixel into zeros.
        base_channels: Width of the first encoder stage (reference ``ndf``).
        instance_edges: Whether a map of the edges between instances is an input.
        name: Name of the model.

    Returns:
        A model from ``[label_map, image]``, integer ``(B, H, W)`` and ``(B, H, W, 3)`` in [-1, 1], or
        ``[label_map, image, edges]``, edges float ``(B, H, W, 1)``, to a list of three predictions float32
        ``(B, H/4, W/4, 1)``, ``(B, H/8, W/8, 1)`` and ``(B, H/16, W/16, 1)``. Its features are the outputs of the encoder's
        stages 2 to 5, at 1/4 to 1/32 of the size.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> discriminator = fpse_discriminator(num_classes=4, image_size=(32, 64), base_channels=2)
    >>> discriminator.output_shape
    [(None, 8, 16, 1), (None, 4, 8, 1), (None, 2, 4, 1)]
    """
    height, width = _check_discriminator_size(image_size)
    label_map = keras.Input((height, width), dtype="int32", name="label_map")
    image = keras.Input((height, width, 3), name="image")
    edges = [edges_input((height, width))] if instance_edges else []

    x = SpectralStage(base_channels, 3, strides=2, norm="instance", name="enc1")(image)
    lateral = {}
    for i, multiplier in zip(range(2, 6), (2, 4, 8, 8), strict=True):
        x = FeatureStage(multiplier * base_channels, 3, strides=2, norm="instance", name=f"enc{i}")(x)
        lateral[i] = SpectralStage(4 * base_channels, 1, norm="instance", name=f"lat{i}")(x)

    embedding = LabelEmbedding(2 * base_channels, num_classes, name="embedding")([label_map, *edges])
    embeddings = {2: embedding}
    for i in (3, 4):
        embeddings[i] = keras.layers.AveragePooling2D(2, name=f"embedding{i}")(embeddings[i - 1])

    head = SemanticsHead(name="head")
    x, predictions = lateral[5], []
    for i in (4, 3, 2):
        x = keras.layers.UpSampling2D(2, interpolation="bilinear", name=f"up{i}")(x)
        x = keras.layers.Add(name=f"add{i}")([x, lateral[i]])
        final = SpectralStage(2 * base_channels, 3, norm="instance", name=f"final{i}")(x)
        prediction = head([final, embeddings[i]])
        predictions.append(keras.layers.Activation("linear", dtype="float32", name=f"prediction{i}")(prediction))
    return keras.Model([label_map, image, *edges], predictions[::-1], name=name)


def _check_discriminator_size(image_size):
    if max(image_size) >= 64:
        return check_image_size("fpse_discriminator", image_size, 32)
    raise ArgumentError(
        "fpse_discriminator: {} (height, width) is too small: both sides must be multiples of 32 and one at "
        "least 64. The nearest that are: (32, 64), (64, 32), (64, 64).",
        {"image_size": tuple(image_size)},
    )
