import keras
import numpy as np
import pytest

from keras_semisis import losses, models

CASES = {
    "BalancedCrossEntropy": {"ignore_class": 2, "name": "a"},
    "CycleLoss": {"ignore_class": 2, "class_balancing": False, "name": "a"},
    "FakeLoss": {"name": "a"},
    "CrossEntropyGANLoss": {"name": "a"},
    "FeatureMatchingLoss": {"distance": "l1", "name": "a"},
    "HingeLoss": {"generator": True, "name": "a"},
    "KLDivergenceLoss": {"name": "a"},
    "LeastSquaresLoss": {"name": "a"},
    "WassersteinLoss": {"name": "a"},
    "LabelMixLoss": {"name": "a"},
    "NonSaturatingLoss": {"name": "a"},
    "SegmentationLoss": {"ignore_class": 2, "class_balancing": False, "focal_gamma": 2.0, "name": "a"},
}


def test_every_loss_has_a_case():
    classes = {name for name in losses.__all__ if isinstance(getattr(losses, name), type)}
    assert classes - {"PerceptualLoss", "LPIPSLoss"} == set(CASES)  # their feature model is no part of a saved model


@pytest.mark.parametrize("name", CASES)
def test_round_trip(name):
    loss = getattr(losses, name)(**CASES[name])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config() == CASES[name]
    for key, value in CASES[name].items():
        assert getattr(again, key) == value


IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
LOGITS, PREDICTION = np.zeros((2, 4, 4, 4), "float32"), np.ones((2, 1), "float32")
LABEL_MAPS = np.zeros((2, 4, 4), "int32")
ARGUMENTS = {
    "CrossEntropyGANLoss": (1, PREDICTION),
    "HingeLoss": (1, PREDICTION),
    "LeastSquaresLoss": (1, PREDICTION),
    "WassersteinLoss": (1, PREDICTION),
    "NonSaturatingLoss": (1, PREDICTION),
    "FeatureMatchingLoss": ([LOGITS], [LOGITS + 1]),
    "KLDivergenceLoss": (None, (PREDICTION, PREDICTION)),
    "LabelMixLoss": ((LOGITS[..., :1], LOGITS, LOGITS), LOGITS + 1),
    "PerceptualLoss": tuple(IMAGES),
    "LPIPSLoss": tuple(IMAGES),
}


@pytest.mark.parametrize("name", sorted({*CASES, "PerceptualLoss", "LPIPSLoss"}))
def test_a_sample_weight_weighs_or_is_refused(name):
    """Weights of 1 and 0 leave half of the first image's loss; where there is one number a batch, they are refused."""
    if name == "PerceptualLoss":
        image = keras.Input((32, 32, 3))
        loss = losses.PerceptualLoss(keras.Model(image, [keras.layers.Identity()(image)]))
    elif name == "LPIPSLoss":
        loss = losses.LPIPSLoss(models.lpips_features("alexnet", weights=None))
    else:
        loss = getattr(losses, name)(**CASES[name])
    y_true, y_pred = ARGUMENTS.get(name, (LABEL_MAPS, LOGITS))
    first = np.array([1.0, 0.0], "float32")
    if name not in ("BalancedCrossEntropy", "CycleLoss", "FakeLoss", "LPIPSLoss", "SegmentationLoss"):
        with pytest.raises(ValueError, match=f"{name}: sample_weight cannot be used"):
            loss(y_true, y_pred, sample_weight=first)
        assert np.isfinite(float(loss(y_true, y_pred)))
        return
    weights = first if name == "LPIPSLoss" else np.broadcast_to(first[:, None, None], LABEL_MAPS.shape)
    of_each = np.asarray(keras.ops.convert_to_numpy(loss.call(*map(keras.ops.convert_to_tensor, (y_true, y_pred)))))
    assert float(loss(y_true, y_pred, sample_weight=weights)) == pytest.approx(of_each[0].sum() / of_each.size, rel=1e-4)
