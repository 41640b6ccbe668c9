"""Trained networks as files for other programs: ONNX, SavedModel, LiteRT."""

from keras_semisis.exports.writing import export

__all__ = ["export"]
