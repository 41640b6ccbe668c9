"""The published segmenters' golden files, and their networks written a second time, in PyTorch's own functions."""

import json
import math
import re

import numpy as np

from tests.conftest import SHARED

_UNUSED = (".num_batches_tracked", "._tmp_running_mean", "._tmp_running_var", "._running_iter")


class Golden:
    """One file of ../shared/reference/segmenters, and the state dict that its fill rule gives."""

    def __init__(self, name):
        self.arrays = dict(np.load(SHARED / "reference" / "segmenters" / f"{name}.npz"))
        self.meta = json.loads(str(self.arrays.pop("meta")))
        self.names = [name for name, *_ in self.meta["tensors"]]

    def channels_last(self, name):
        return np.moveaxis(self.arrays[name], 1, -1)

    def image(self):
        """The picture, as this library has pictures."""
        return self.arrays["in/rgb_u8"][None].astype("float32") / 127.5 - 1

    def second_image(self):
        """UPerNet's second picture, which the file has after its preprocessing alone."""
        pixels = self.channels_last("in/img2") * [0.229, 0.224, 0.225] + [0.485, 0.456, 0.406]
        return (2 * pixels - 1).astype("float32")

    def state_dict(self):
        """Drawn by the rule, and compared with the sum, first and last value of every tensor that the file has."""
        random, state = np.random.default_rng(self.meta["seed"]), {}
        for name, shape, _, total, first, last in sorted(self.meta["tensors"]):
            if name.endswith(_UNUSED) or name in self.meta["kept"]:
                continue
            state[name] = array = self._draw(random, name, shape).astype("float32")
            np.testing.assert_allclose(array.sum(dtype="float64"), total, rtol=1e-9, atol=1e-7, err_msg=name)
            assert (array.flat[0], array.flat[-1]) == (np.float32(first), np.float32(last)), name
        return state

    def _draw(self, random, name, shape):
        if name.endswith(".running_var"):
            return 1 + 0.1 * random.random(shape)
        noise = random.standard_normal(shape)
        if name.endswith((".running_mean", ".bias")):
            return 0.05 * noise
        if len(shape) == 1:
            return 1 + 0.05 * noise
        damp = math.prod(factor for pattern, factor in self.meta["damp"] if re.search(pattern, name))
        return noise * (math.sqrt(2 / math.prod(shape[1:])) * damp)


class TorchNetwork:
    """What the three networks are made of, in torch.nn.functional: `state` holds arrays by their published names."""

    def __init__(self, state):
        import torch

        self.torch, self.functional = torch, torch.nn.functional
        self.state = {name: torch.tensor(array) for name, array in state.items()}

    def __call__(self, image, *args, **kwargs):
        """``image``: (B, H, W, 3) in [-1, 1]. Channels-last NumPy comes back."""
        with self.torch.no_grad():
            x = self.torch.tensor(np.ascontiguousarray(np.moveaxis(image, -1, 1)))
            return np.moveaxis(self.forward(x, *args, **kwargs).numpy(), 1, -1)

    def conv(self, x, name, stride=1, padding=0, dilation=1):
        weight, bias = self.state[f"{name}.weight"], self.state.get(f"{name}.bias")
        return self.functional.conv2d(x, weight, bias, stride, padding, dilation)

    def norm(self, x, name):
        mean, variance, weight, bias = (
            self.state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")
        )
        return self.functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=1e-5)

    def sequence(self, x, name, **kwargs):
        return self.norm(self.conv(x, f"{name}.0", **kwargs), f"{name}.1").relu()

    def block(self, x, name, names, strides, dilation=1):
        """``strides``: those of the first and of the second convolution."""
        y, forms = x, ({"stride": strides[0]}, {"stride": strides[1], "padding": dilation, "dilation": dilation}, {})
        for i, ((conv, norm), form) in enumerate(zip(names, forms, strict=False)):
            y = self.norm(self.conv(y, f"{name}.{conv}", **form), f"{name}.{norm}")
            y = y.relu() if i < 2 else y
        conv, norm = names[3]
        if f"{name}.{conv}.weight" in self.state:
            x = self.norm(self.conv(x, f"{name}.{conv}", stride=max(strides)), f"{name}.{norm}")
        return (x + y).relu()

    def resize(self, x, size):
        return self.functional.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)

    def channels(self, *values):
        return self.torch.tensor(values).reshape(1, -1, 1, 1)


_NAMES = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("downsample.0", "downsample.1"))


class TorchDRN(TorchNetwork):
    def forward(self, x):
        x = ((x + 1) / 2 - self.channels(0.29010095242892997, 0.32808144844279574, 0.28696394422942517)) / self.channels(
            0.1829540508368939, 0.18656561047509476, 0.18447508988480435
        )
        x = self.sequence(x, "base.0", padding=3)
        x = self.sequence(x, "base.1", padding=1)
        x = self.sequence(x, "base.2", padding=1, stride=2)
        for stage, (blocks, stride, dilation) in enumerate(((3, 2, 1), (4, 2, 1), (23, 1, 2), (3, 1, 4)), start=3):
            for i in range(blocks):
                x = self.block(x, f"base.{stage}.{i}", _NAMES, (1, 1 if i else stride), dilation)
        x = self.sequence(x, "base.7", padding=2, dilation=2)
        x = self.sequence(x, "base.8", padding=1)
        x = self.conv(x, "seg")
        ramp = (2 * self.torch.arange(8) + 1) / 16
        taps = self.torch.cat([ramp, ramp.flip(0)])
        kernel = self.torch.outer(taps, taps).expand(x.shape[1], 1, 16, 16)
        x = self.functional.conv_transpose2d(x, kernel, stride=8, padding=4, groups=x.shape[1])
        return x.log_softmax(1)


class TorchUPerNet(TorchNetwork):
    def forward(self, x, output_size=None, bgr=False):
        output_size = output_size or x.shape[2:]
        if bgr:
            x = (x + 1).flip(1) * 127.5 - self.channels(102.9801, 115.9465, 122.7717)
        else:
            x = ((x + 1) / 2 - self.channels(0.485, 0.456, 0.406)) / self.channels(0.229, 0.224, 0.225)
        for i, stride in enumerate((2, 1, 1), start=1):
            x = self.norm(self.conv(x, f"encoder.conv{i}", stride=stride, padding=1), f"encoder.bn{i}").relu()
        x = self.functional.max_pool2d(x, 3, 2, 1)
        maps = []
        for stage, (blocks, stride) in enumerate(((3, 1), (4, 2), (23, 2), (3, 2)), start=1):
            for i in range(blocks):
                x = self.block(x, f"encoder.layer{stage}.{i}", _NAMES, (1, 1 if i else stride))
            maps.append(x)
        pools = [
            self.sequence(self.resize(self.functional.adaptive_avg_pool2d(x, size), x.shape[2:]), f"decoder.ppm_conv.{k}")
            for k, size in enumerate((1, 2, 3, 6))
        ]
        f = self.sequence(self.torch.cat([x, *pools], 1), "decoder.ppm_last_conv", padding=1)
        outputs = [f]
        for i in (2, 1, 0):
            lateral = self.sequence(maps[i], f"decoder.fpn_in.{i}")
            f = lateral + self.resize(f, lateral.shape[2:])
            outputs.insert(0, self.sequence(f, f"decoder.fpn_out.{i}.0", padding=1))
        x = self.torch.cat([self.resize(y, outputs[0].shape[2:]) for y in outputs], 1)
        x = self.conv(self.sequence(x, "decoder.conv_last.0", padding=1), "decoder.conv_last.1")
        return self.resize(x, output_size).softmax(1)


class TorchDeepLab(TorchNetwork):
    def forward(self, x, output_size=None, recompute_scale=False):
        output_size = output_size or x.shape[2:]
        x = (x + 1).flip(1) * 127.5 - self.channels(104.008, 116.669, 122.675)
        scores = self.base(x)
        for scale in (0.5, 0.75):
            small = self.functional.interpolate(
                x, scale_factor=scale, mode="bilinear", align_corners=False, recompute_scale_factor=recompute_scale
            )
            scores = self.torch.maximum(scores, self.resize(self.base(small), scores.shape[2:]))
        return self.resize(scores, output_size)

    def base(self, x):
        names = [(f"{part}.conv", f"{part}.bn") for part in ("reduce", "conv3x3", "increase", "shortcut")]
        x = self.norm(self.conv(x, "base.layer1.conv1.conv", stride=2, padding=3), "base.layer1.conv1.bn").relu()
        x = self.functional.max_pool2d(x, 3, 2, 1, ceil_mode=True)
        for stage, (blocks, stride, dilation) in enumerate(((3, 1, 1), (4, 2, 1), (23, 1, 2), (3, 1, 4)), start=2):
            for i in range(blocks):
                x = self.block(x, f"base.layer{stage}.block{i + 1}", names, (1 if i else stride, 1), dilation)
        return sum(self.conv(x, f"base.aspp.c{i}", padding=rate, dilation=rate) for i, rate in enumerate((6, 12, 18, 24)))
