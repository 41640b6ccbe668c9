import keras
import numpy as np
from keras import ops

from keras_semisis.losses import LabelMixLoss, label_mix_mask


def test_every_class_is_on_one_side_throughout_the_batch():
    labels = np.random.default_rng(0).integers(0, 6, (3, 8, 8)).astype("uint8")
    for seed in range(10):
        mask = ops.convert_to_numpy(label_mix_mask(labels, num_classes=6, seed=seed))
        assert mask.shape == (3, 8, 8, 1)
        for c in range(6):
            assert np.unique(mask[labels == c]).tolist() in ([0.0], [1.0])


def test_the_loss_of_bfloat16_logits_is_float32():
    logits = np.random.default_rng(0).normal(size=(3, 2, 4, 4, 6))
    mask = label_mix_mask(np.arange(32).reshape(2, 4, 4) % 5, num_classes=5, seed=0)
    real, fake, mixed = (ops.cast(x, "bfloat16") for x in logits)
    loss = LabelMixLoss()((mask, real, fake), mixed)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    real, fake, mixed = (ops.convert_to_numpy(ops.cast(x, "float32")) for x in (real, fake, mixed))
    mask = ops.convert_to_numpy(mask)
    np.testing.assert_allclose(float(loss), np.square(mask * real + (1 - mask) * fake - mixed).mean(), rtol=1e-5)


def test_every_class_has_a_fair_coin_of_its_own():
    """500 masks of 4 classes, 0 among them. A false alarm in any of the 10 counts: below 1e-4 (4.5 σ)."""
    labels = np.arange(4, dtype="int32").reshape(1, 2, 2)
    seed = keras.random.SeedGenerator(0)
    coins = np.stack([ops.convert_to_numpy(label_mix_mask(labels, 4, seed=seed)).reshape(4) for _ in range(500)])
    bound = 4.5 * np.sqrt(500 * 0.25)
    assert (np.abs(coins.sum(0) - 250) < bound).all()
    for a in range(4):
        for b in range(a):
            assert abs((coins[:, a] == coins[:, b]).sum() - 250) < bound
