"""Named settings of the systems' `compile`."""

from types import MappingProxyType

_USIS = {
    "generator_learning_rate": 1e-4,
    "discriminator_learning_rate": 4e-4,
    "unconditional_learning_rate": 2e-3,
    "beta_2": 0.999,
    "ema_decay": 0.9999,
    "label_mix_weight": 10.0,
    "perceptual_weight": 10.0,
    "r1_gamma": 1.25,
    "r1_every": 4,
}
_USIS_CITYSCAPES = _USIS | {"generator_learning_rate": 4e-4, "ema_decay": 0.999, "label_mix_weight": 5.0}

PRESETS = MappingProxyType(
    {
        # arXiv 2306.13585, section 4: batch 8, learning rate 1e-4 for everything, no LabelMix, all weights 1
        "paper": _USIS
        | {
            "generator_learning_rate": 1e-4,
            "discriminator_learning_rate": 1e-4,
            "unconditional_learning_rate": 1e-4,
            "label_mix_weight": 0.0,
            "perceptual_weight": 1.0,
        },
        # the settings of the OASIS and USIS programs for ADE20K and COCO-Stuff, and for Cityscapes
        "usis": _USIS,
        "usis_cityscapes": _USIS_CITYSCAPES,
        "oasis": _USIS,
        "oasis_cityscapes": _USIS_CITYSCAPES,
        # Park et al., CVPR 2019, section 4; without a moving average
        "spade": {
            "generator_learning_rate": 1e-4,
            "discriminator_learning_rate": 4e-4,
            "beta_2": 0.9,
            "ema_decay": 0.0,
            "perceptual_weight": 10.0,
        },
    }
)
