"""Published state dicts into these networks and back."""

import numpy as np
import pytest
import safetensors.numpy

from keras_semisis import models
from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.checkpoints.entries import unused_batch_norm
from tests.models.reference import Reference, filled
from tests.models.test_reference_networks import GENERATORS


def tiny_generator(hidden_channels=8):
    return models.wavelet_spade_generator(3, (8, 8), 1, noise_channels=2, num_blocks=3, hidden_channels=hidden_channels)


def weights_of(model):
    return [np.array(w) for w in model.get_weights()]


@pytest.mark.parametrize(
    ("name", "family", "build"),
    [
        ("oasis_generator", "oasis", GENERATORS["oasis_generator"]),
        ("oasis_generator_no3dnoise", "oasis", GENERATORS["oasis_generator_no3dnoise"]),
        ("oasis_discriminator", "oasis", lambda: models.oasis_discriminator(7, (64, 64), (16, 16, 32, 32, 64, 64), 8)),
        ("wavelet_generator", "usis", GENERATORS["wavelet_generator"]),
        (
            "wavelet_discriminator",
            "usis",
            lambda: models.wavelet_discriminator((64, 64), dict.fromkeys((4, 8, 16, 32, 64), 64)),
        ),
    ],
)
def test_a_round_trip_gives_every_entry_back(name, family, build):
    reference = Reference(name)
    unused = reference.meta["params_without_effect_on_output"]
    saved = save_reference_weights(filled(build, reference.sd, family), family=family)
    assert set(saved) == set(reference.sd)
    for key, value in reference.sd.items():
        assert saved[key].shape == value.shape, key
        if key in unused or (".norm_s." in key and name == "wavelet_generator"):
            continue
        constant = key.rsplit(".", 1)[-1] in ("ll", "lh", "hl", "hh", "kernel")
        np.testing.assert_allclose(saved[key], value, rtol=0, atol=1e-7 if constant else 0, err_msg=key)


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_files_and_prefixes(tmp_path, suffix):
    source, target = tiny_generator(), tiny_generator()
    path = tmp_path / f"weights.{suffix}"
    state = save_reference_weights(source, path, family="usis")
    load_reference_weights(target, path, family="usis")
    for ours, theirs in zip(weights_of(target), weights_of(source), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    other = tiny_generator()
    load_reference_weights(other, {f"module.{name}": array for name, array in state.items()}, family="usis")
    for ours, theirs in zip(weights_of(other), weights_of(source), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_training_checkpoints_and_several_files(tmp_path):
    source, target = tiny_generator(), tiny_generator()
    state = save_reference_weights(source, family="usis")
    names = sorted(state)
    first = {f"state_dict.module.{name}": state[name] for name in names[::2]} | {"optimizer.0": np.ones(3)}
    second = tmp_path / "second.npz"
    np.savez(second, **{name: state[name] for name in names[1::2]})
    load_reference_weights(target, [first, second], family="usis")
    for ours, theirs in zip(weights_of(target), weights_of(source), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(CheckpointError, match=rf"second\.npz and the mapping: 1 entries come twice, {names[1]} for instance"):
        load_reference_weights(target, [second, {names[1]: state[names[1]]}], family="usis")


def test_a_pytorch_file(tmp_path):
    torch = pytest.importorskip("torch")
    source, target = tiny_generator(), tiny_generator()
    state = save_reference_weights(source, family="usis")
    for legacy in (False, True):
        path = tmp_path / f"{legacy}.pth"
        torch.save(
            {f"module.{name}": torch.tensor(array) for name, array in state.items()},
            path,
            _use_new_zipfile_serialization=not legacy,
        )
        load_reference_weights(target, path, family="usis")
        for ours, theirs in zip(weights_of(target), weights_of(source), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_everything_that_does_not_fit_is_listed_and_nothing_is_changed():
    model = tiny_generator()
    before = weights_of(model)
    state = save_reference_weights(model, family="usis")
    state["conv_img.conv.bias"] = np.ones(12, "float32")
    del state["fc.bias"]
    state["body.0.conv_0.bias"] = np.zeros(3, "float32")
    state["style.weight"] = np.zeros((2, 5), "float32")
    state["iwt.lh"] = -state["iwt.lh"]
    with pytest.raises(CheckpointError) as caught:
        load_reference_weights(model, state, family="usis")
    message = str(caught.value)
    for part in (
        "missing: fc.bias (32,)",
        "unexpected: style.weight (2, 5)",
        "shape: body.0.conv_0.bias is (3,), the model's is (16,)",
        "constant: iwt.lh",
    ):
        assert part in message
    for ours, old in zip(weights_of(model), before, strict=True):
        np.testing.assert_array_equal(ours, old)


def test_entries_without_effect_and_counters_may_be_absent_or_wrong():
    model = tiny_generator()
    state = save_reference_weights(model, family="usis")
    for name in list(state):
        if "norm_s" in name or name.endswith((".ll", ".hh", "num_batches_tracked")):
            del state[name]
    state["body.0.norm_0.first_norm.num_batches_tracked"] = np.float32(7)
    assert load_reference_weights(model, state, family="usis") is model


def test_a_model_of_another_size_or_family():
    state = save_reference_weights(tiny_generator(), family="usis")
    with pytest.raises(CheckpointError, match=r"shape: body\.0\.norm_0\.mlp_gamma\.weight is \(.*8, 3, 3\), the model's is"):
        load_reference_weights(tiny_generator(hidden_channels=16), state, family="usis")
    with pytest.raises(ValueError, match="no network of the family 'usis'"):
        load_reference_weights(models.oasis_discriminator(3, (8, 8), (4,), 4), state, family="usis")
    with pytest.raises(ValueError, match="expected one of 'oasis'"):
        load_reference_weights(tiny_generator(), state, family="pix2pix")


def test_files_of_other_kinds(tmp_path):
    model = tiny_generator()
    with pytest.raises(OSError, match="absent"):
        load_reference_weights(model, tmp_path / "absent.npz", family="usis")
    odd = tmp_path / "weights.onnx"
    odd.write_bytes(b"?")
    with pytest.raises(CheckpointError, match=r"weights\.onnx: expected a file that ends in \.npz"):
        load_reference_weights(model, odd, family="usis")
    for suffix in ("npz", "safetensors", "pth"):
        broken = tmp_path / f"broken.{suffix}"
        broken.write_bytes(b"PK\x03\x04 nothing more")
        with pytest.raises(CheckpointError, match="broken"):
            load_reference_weights(model, broken, family="usis")
    with pytest.raises(ValueError, match=r"\.npz or \.safetensors"):
        save_reference_weights(model, tmp_path / "weights.pkl", family="usis")
    safetensors.numpy.save_file({"fc.bias": np.zeros(2, "float32")}, tmp_path / "few.safetensors")
    with pytest.raises(CheckpointError, match=r"few\.safetensors does not fit 'generator'"):
        load_reference_weights(model, tmp_path / "few.safetensors", family="usis")


@pytest.mark.parametrize("affine", [False, True])
def test_a_norm_that_is_never_used_is_written_as_pytorch_begins_it(affine):
    torch = pytest.importorskip("torch")
    expected = torch.nn.BatchNorm2d(3, affine=affine).state_dict()
    found = {entry.name: entry.value() for entry in unused_batch_norm("norm", 3, affine)}
    assert list(found) == [f"norm.{name}" for name in expected]
    for value, tensor in zip(found.values(), expected.values(), strict=True):
        np.testing.assert_array_equal(value, tensor.numpy())
        assert value.dtype == tensor.numpy().dtype
