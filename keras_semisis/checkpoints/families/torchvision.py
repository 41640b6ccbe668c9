"""torchvision: VGG19 for the perceptual loss.

The state dict is that of `torchvision.models.vgg19`; the network is `models.vgg19_features`, which ends at relu5_1, so that
the four convolutions behind it and the classifier are in the file without effect here.

These weights were trained on images of ImageNet's mean and deviation. The published programs of the field (pix2pixHD, SPADE
and what follows them) feed them images in [-1, 1] as they are, and so does
``vgg19_features(weights=None, preprocessing="none")``: the network to load them into if losses are to be comparable. They do
not fit ``preprocessing="caffe"``, which belongs to the weights of keras.applications.
"""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import Entry, Unused, conv

# convolutions in each block of VGG19, all of which the file has
_CONVOLUTIONS = (2, 2, 4, 4, 4)
_CLASSIFIER = {"0": (4096, 512 * 7 * 7), "3": (4096, 4096), "6": (1000, 4096)}


def networks():
    """Each network's entries, by a layer that no other network of the family has; VGG16 lacks this one."""
    return {"relu3_4": vgg19}


def vgg19(model) -> Iterator[Entry]:
    position = 0
    for block, count in enumerate(_CONVOLUTIONS, start=1):
        for i in range(1, count + 1):
            key = f"features.{position}"
            if block == len(_CONVOLUTIONS) and i > 1:
                yield Unused(f"{key}.weight", (512, 512, 3, 3))
                yield Unused(f"{key}.bias", (512,))
            else:
                yield from conv(key, model.get_layer(f"relu{block}_{i}"))
            # a convolution and its ReLU
            position += 2
        # the pooling
        position += 1
    for layer, shape in _CLASSIFIER.items():
        yield Unused(f"classifier.{layer}.weight", shape)
        yield Unused(f"classifier.{layer}.bias", shape[:1])
