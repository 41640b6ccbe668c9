"""Writes the golden files again from the tensors of the published networks: ``python -m tests.golden.write FOLDER``.

``FOLDER`` holds what the published programs computed, one ``.npz`` a network: ``sd/<name>``, ``in/<name>``, ``out/<name>`` and
``meta``. Weights and inputs that were drawn are written as how to draw them, outputs as some of their values.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.golden.published import FOLDER, KEPT, draw_input, draw_weight, positions
from tests.golden.torch_draws import TorchDraws

# buffers and constants, which no weight's draws are spent on
_NOT_DRAWN = ("weight_u", "weight_v", "running_mean", "running_var", "num_batches_tracked", "ll", "lh", "hl", "hh", "kernel")
NAMES = [
    *("oasis_generator", "oasis_generator_wide", "oasis_generator_no3dnoise", "oasis_discriminator"),
    *("wavelet_generator", "wavelet_discriminator", "wavelet_discriminator_wide", "wavelet_decoder"),
    *("stylegan2_discriminator", "stylegan2_discriminator_whole", "losses", "haar", "tcr", "frechet", "fid_inception"),
    *("spade_generator_normal", "spade_generator_normal_vae", "spade_generator_more", "spade_generator_most"),
    *("spade_generator_most_vae", "spade_encoder", "spade_multiscale_discriminator"),
    *("ccfpse_generator", "ccfpse_generator_nh128", "ccfpse_discriminator"),
]
# what other tests compute with, as whole tensors
_WHOLE = dict.fromkeys(("losses", "haar", "tcr", "frechet", "fid_inception"), ("out/",))
_WHOLE["spade_multiscale_discriminator"] = tuple(f"out/d{scale}_layer{i}_eval" for scale in (0, 1) for i in range(4))


def weights_rule(name: str, keys: list[str], arrays) -> list:
    """How each weight is drawn, in the order of the draws: within a layer the kernel comes before the bias."""
    layers: dict[str, list[str]] = {}
    for key in keys:
        if key.rpartition(".")[2] not in _NOT_DRAWN:
            layers.setdefault(key.rpartition(".")[0], []).append(key)
    rule = []
    for layer, names in layers.items():
        for key in sorted(names, key=lambda name: name.endswith("bias")):
            bias, mean, scale, grid = key.endswith("bias"), 0, 0.05, 256
            if name.startswith(("stylegan2", "losses", "wavelet_discriminator")):
                scale, grid = (0.2 if bias else 1), 16
            elif f"{layer}.running_mean" in keys and not bias:
                mean, scale = 1, 0.1
            rule.append([key, list(arrays[key].shape), mean, scale, grid if arrays[key].size > 2000 else None])
    return rule


def inputs_rule(arrays) -> list:
    """How each input is drawn, as far as it is; label maps come first."""
    draws, rule = TorchDraws(100), []
    for key in sorted((key for key in arrays if key.startswith("in/")), key=lambda key: key != "in/seg"):
        before = draws.state()
        for kind in ("labels", "edges", "image", "normal"):
            draws.restore(before)
            drawn = draw_input(draws, kind, arrays[key].shape)
            if drawn is not None and np.mean(drawn == arrays[key]) > 0.9:
                rule.append([key, list(arrays[key].shape), kind])
                break
        else:
            draws.restore(before)
    return rule


def corrections(draws: TorchDraws, rule: list, draw, arrays) -> list:
    found = []
    for key, shape, *how in rule:
        drawn, wanted = draw(draws, shape, *how), arrays[key]
        wrong = np.flatnonzero(drawn != wanted)
        assert len(wrong) < 10, (key, len(wrong))
        found += [[key, int(i), float(wanted.flat[i])] for i in wrong]
    return found


def write(name: str, source: Path) -> None:
    arrays = dict(np.load(source / f"{name}.npz"))
    meta = json.loads(str(arrays.pop("meta")))
    state = [key for key in arrays if key.startswith("sd/")]
    weights = weights_rule(name, state, arrays) if state and name != "haar" else []
    inputs = inputs_rule(arrays)
    how = {
        "meta": {key: meta[key] for key in KEPT if key in meta},
        "weights": weights,
        "inputs": inputs,
        "corrections": corrections(TorchDraws(1), weights, lambda draws, *a: draw_weight(draws, *a), arrays)
        + corrections(TorchDraws(100), inputs, lambda draws, shape, kind: draw_input(draws, kind, shape), arrays),
        "order": list(arrays),
    }
    drawn, kept, parts = {key for key, *_ in (*weights, *inputs)}, [], {}
    for key, array in arrays.items():
        if key in drawn:
            continue
        sample = key.startswith("out/") and not key.startswith(_WHOLE.get(name, ()) or "-")
        chosen = array.reshape(-1)[positions(array.size)] if sample else array.reshape(-1)
        kind = (
            "bfloat16"
            if key.startswith("in/") and array.dtype == "float32" and not (array.view("u4") & 0xFFFF).any()
            else str(array.dtype)
        )
        kept.append([key, list(array.shape), kind, chosen.size])
        parts.setdefault(kind, []).append((chosen.view("uint32") >> 16).astype("uint16") if kind == "bfloat16" else chosen)
    how["kept"] = kept
    text = np.frombuffer(json.dumps(how, separators=(",", ":")).encode(), "uint8")
    np.savez_compressed(FOLDER / f"{name}.npz", how=text, **{kind: np.concatenate(part) for kind, part in parts.items()})


if __name__ == "__main__":
    for name in NAMES:
        write(name, Path(sys.argv[1]))
