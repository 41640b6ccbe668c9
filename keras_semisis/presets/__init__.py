"""Trained models as folders that others load by name: built in, on the disk, or on the Hugging Face Hub."""

from keras_semisis.presets.folder import from_preset, save_to_preset
from keras_semisis.presets.location import built_in_presets
from keras_semisis.presets.preset_model import PresetModel

__all__ = ["PresetModel", "built_in_presets", "from_preset", "save_to_preset"]
