"""The networks of SPADE (GauGAN): generator, image encoder and multi-scale PatchGAN discriminator."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers import InstanceNorm, SPADEResidualBlock, SpectralConv2D
from keras_semisis.layers.convolve import in_layout_of_backend
from keras_semisis.models.edges import edges_input, with_edges
from keras_semisis.models.image_size import check_channels_last, check_image_size
from keras_semisis.models.oasis import StartMap, semantic_inputs

# how often the resolution doubles
UPSAMPLINGS = {"normal": 5, "more": 6, "most": 7}
ENCODER_SIZE = (256, 256)
ENCODER_WIDTHS = (1, 2, 4, 8, 8, 8)
WIDEST_PATCH_LAYER = 512


def spade_generator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 64,
    upsampling: str = "normal",
    latent_channels: int | None = None,
    hidden_channels: int = 128,
    instance_edges: bool = False,
    name: str = "generator",
) -> keras.Model:
    """The SPADE generator: a ResNet that reads the label map in every normalization.

    Args:
        num_classes: Number of label ids, the don't-care class included (reference ``semantic_nc``).
        image_size: ``(height, width)``, multiples of 32 (``"normal"``), 64 (``"more"``) or 128 (``"most"``).
        base_channels: Width of the block ``up_3`` (reference ``ngf``); ``"most"`` ends with half of it.
        upsampling: ``"normal"``, ``"more"`` or ``"most"``: the resolution doubles 5, 6 or 7 times; ``"most"`` has one more
            block.
        latent_channels: Length of the style vector (reference ``z_dim``, 256), from which the first feature map is made;
            None for a generator of label maps alone.
        hidden_channels: Width of SPADE's hidden maps, 128 in the published networks.
        instance_edges: Whether it also reads the edges between instances, one channel more beside those of the classes in every
            convolution of the label map; reference ``semantic_nc`` is then ``num_classes + 1``.
        name: Name of the model.

    Returns:
        A model from ``[label_map]``, or ``[label_map, noise]`` with ``latent_channels``, integer ``(B, H, W)`` and float
        ``(B, latent_channels)``, to images float32 ``(B, H, W, 3)`` in [-1, 1]. With ``instance_edges`` a last input ``edges``,
        float ``(B, H, W, 1)``, is 1 on edges, as `layers.instance_edges` makes it.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do, or ``upsampling`` is unknown.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019, section 3 and
    appendix A.

    Example:

    >>> generator = spade_generator(num_classes=4, image_size=(64, 96), base_channels=2, latent_channels=8)
    >>> generator.output_shape
    (None, 64, 96, 3)
    """
    if upsampling not in UPSAMPLINGS:
        raise ValueError(f"upsampling={upsampling!r}: expected one of {', '.join(map(repr, UPSAMPLINGS))}.")
    if upsampling == "most" and base_channels < 2:
        raise ValueError(f'base_channels={base_channels}: upsampling="most" ends with half as many channels; give at least 2.')
    scale = 2 ** UPSAMPLINGS[upsampling]
    height, width = check_image_size(f'spade_generator with upsampling="{upsampling}"', image_size, scale)
    inputs = semantic_inputs((height, width), latent_channels)
    label_map, *style = inputs
    if instance_edges:
        inputs, label_map, num_classes = with_edges(inputs, num_classes)
    x = _start(label_map, style, num_classes, (height // scale, width // scale), 16 * base_channels)
    for i, (block, filters, doubles) in enumerate(_blocks(base_channels, upsampling)):
        if doubles:
            x = keras.layers.UpSampling2D(2, name=f"upsample_{i}")(x)
        x = SPADEResidualBlock(filters, num_classes, hidden_channels, name=block)([x, label_map])
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Conv2D(3, 3, padding="same", name="conv_img")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name=name)


def _start(label_map, style, num_classes, size, filters):
    """The first feature map: of the label map, or of the style vector where there is one."""
    if not style:
        return StartMap(filters, num_classes, size, name="fc")([label_map])
    x = keras.layers.Dense(size[0] * size[1] * filters, name="fc")(style[0])
    return keras.layers.Reshape((*size, filters), name="start")(x)


def _blocks(base_channels, upsampling):
    """Each block's name, its width, and whether the resolution doubles in front of it."""
    blocks = [
        ("head_0", 16, False),
        ("G_middle_0", 16, True),
        ("G_middle_1", 16, upsampling != "normal"),
        ("up_0", 8, True),
        ("up_1", 4, True),
        ("up_2", 2, True),
        ("up_3", 1, True),
    ]
    for block, multiple, doubles in blocks:
        yield block, multiple * base_channels, doubles
    if upsampling == "most":
        yield "up_4", base_channels // 2, True


def spade_encoder(
    image_size: tuple[int, int], base_channels: int = 64, latent_channels: int = 256, name: str = "encoder"
) -> keras.Model:
    """The image encoder of SPADE's VAE: a photo to the Gaussian of its style.

    The image is resized to 256×256 (bilinear) first, so that every image has a style of one form.

    Args:
        image_size: ``(height, width)``, any.
        base_channels: Width of the first convolution (reference ``ngf``).
        latent_channels: Length of the style vector, as in `spade_generator`; 256 in the published networks.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to ``[mu, logvar]``, float32 ``(B, latent_channels)`` each: a style is
        ``mu + exp(logvar / 2) * noise``.

    Reference: Park et al. (SPADE), CVPR 2019, section 3.1 and appendix A.

    Example:

    >>> spade_encoder((64, 96), base_channels=2, latent_channels=8).output_shape
    [(None, 8), (None, 8)]
    """
    check_channels_last()
    image = x = keras.Input((*image_size, 3), name="image")
    if tuple(image_size) != ENCODER_SIZE:
        x = keras.layers.Resizing(*ENCODER_SIZE, interpolation="bilinear", data_format="channels_last", name="resize")(x)
    for i, multiple in enumerate(ENCODER_WIDTHS, start=1):
        x = SpectralConv2D(multiple * base_channels, 3, strides=2, use_bias=False, name=f"layer_{i}")(x)
        x = InstanceNorm(name=f"norm_{i}")(x)
        x = keras.layers.LeakyReLU(0.2, name=f"activation_{i}")(x)
    x = keras.layers.Flatten(data_format="channels_last", name="flatten")(x)
    outputs = [keras.layers.Dense(latent_channels, name=layer)(x) for layer in ("fc_mu", "fc_var")]
    outputs = [
        keras.layers.Activation("linear", dtype="float32", name=output)(x)
        for output, x in zip(("mu", "logvar"), outputs, strict=True)
    ]
    return keras.Model(image, outputs, name=name)


@keras.saving.register_keras_serializable(package="keras_semisis")
class PatchFeatures(keras.layers.Layer):
    """One scale of the PatchGAN discriminator up to its last convolution: returns the output of each layer.

    The input is the concatenation of one-hot labels, edges and image, halved ``scale`` times. Layers are 4×4 convolutions
    with padding 2; the first is without normalization, the last has stride 1.
    """

    is_feature_block = True

    def __init__(self, widths, num_classes: int, scale=0, **kwargs):
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.num_classes = num_classes
        self.scale = scale
        last = len(self.widths) - 1
        self.strides = tuple(1 if i == last and i > 0 else 2 for i in range(len(self.widths)))
        self.first = keras.layers.Conv2D(self.widths[0], 4, strides=2, name="first", dtype=self.dtype_policy)
        self.convs = [
            SpectralConv2D(filters, 4, strides, padding=2, use_bias=False, name=f"conv_{i}", dtype=self.dtype_policy)
            for i, (filters, strides) in enumerate(zip(self.widths[1:], self.strides[1:], strict=True), start=1)
        ]
        self.norm = InstanceNorm(name="norm", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        _, *maps = input_shape
        channels = self.num_classes + sum(shape[-1] for shape in maps)
        self.first.build((None, None, None, channels))
        self.norm.build((None, None, None, self.widths[-1]))
        for conv, filters in zip(self.convs, self.widths, strict=False):
            conv.build((None, None, None, filters))

    def call(self, inputs, training=False):
        label_map, image, *edges = inputs
        x = ops.one_hot(label_map, self.num_classes, dtype=self.compute_dtype)
        x = ops.concatenate([x, *edges, image], axis=-1)
        for _ in range(self.scale):
            x = _halve(x)
        features = [ops.leaky_relu(self.first(_pad(x, 2)), 0.2)]
        for conv in self.convs:
            features.append(ops.leaky_relu(self.norm(conv(features[-1], training=training)), 0.2))
        return features

    def compute_output_shape(self, input_shape):
        batch, height, width = input_shape[0]
        for _ in range(self.scale):
            height, width = (height + 1) // 2, (width + 1) // 2
        shapes = []
        for filters, strides in zip(self.widths, self.strides, strict=True):
            height, width = height // strides + 1, width // strides + 1
            shapes.append((batch, height, width, filters))
        return shapes

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"widths": self.widths, "num_classes": self.num_classes, "scale": self.scale}


def _halve(x):
    """3×3 average of every second pixel; at the border, of the pixels that there are."""

    def pool(x):
        return in_layout_of_backend(lambda x, layout: ops.average_pool(x, 3, 2, data_format=layout), _pad(x, 1))

    return pool(x) / pool(ops.ones_like(x[:1, :, :, :1]))


def _pad(x, n):
    return ops.pad(x, ((0, 0), (n, n), (n, n), (0, 0)))


def multiscale_discriminator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 64,
    num_scales: int = 2,
    num_layers: int = 4,
    instance_edges: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """The discriminator of SPADE: PatchGANs on the image and on its halves, quarters, ...

    `keras_semisis.models.features` of it returns, for each scale, the list of its layers' outputs, the prediction left out:
    what `keras_semisis.losses.FeatureMatchingLoss` reads.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, any.
        base_channels: Width of the first layer (reference ``ndf``); widths double up to 512.
        num_scales: Number of PatchGANs (reference ``num_D``), each on half the resolution of the one before.
        num_layers: Layers in front of each prediction (reference ``n_layers_D``).
        instance_edges: Whether it also reads the borders between instances.
        name: Name of the model.

    Returns:
        A model from ``[label_map, image]``, or ``[label_map, image, edges]`` with ``instance_edges``, integer ``(B, H, W)``,
        float ``(B, H, W, 3)`` in [-1, 1] and float ``(B, H, W, 1)``, 1 on borders, to a list of one prediction a scale, full
        resolution first (the prediction itself where there is one scale): logits float32 ``(B, h, w, 1)``, one for each patch.

    Raises:
        ValueError: If there is no scale or no layer.

    Reference: Park et al. (SPADE), CVPR 2019, appendix A; Wang et al. (pix2pixHD), CVPR 2018, section 3.2.

    Example:

    >>> multiscale_discriminator(num_classes=4, image_size=(64, 96), base_channels=4).output_shape
    [(None, 11, 15, 1), (None, 7, 9, 1)]
    """
    check_channels_last()
    for argument, value in (("num_scales", num_scales), ("num_layers", num_layers)):
        if value < 1:
            raise ValueError(f"{argument}={value}: expected at least 1.")
    inputs = [keras.Input(tuple(image_size), dtype="int32", name="label_map"), keras.Input((*image_size, 3), name="image")]
    if instance_edges:
        inputs.append(edges_input(image_size))
    widths = [base_channels, *(min(base_channels * 2**i, WIDEST_PATCH_LAYER) for i in range(1, num_layers))]
    predictions = []
    for k in range(num_scales):
        x = PatchFeatures(widths, num_classes, scale=k, name=f"discriminator_{k}")(inputs)[-1]
        x = keras.layers.ZeroPadding2D(2, data_format="channels_last", name=f"pad_{k}")(x)
        x = keras.layers.Conv2D(1, 4, name=f"patches_{k}")(x)
        predictions.append(keras.layers.Activation("linear", dtype="float32", name=f"prediction_{k}")(x))
    return keras.Model(inputs, predictions, name=name)
