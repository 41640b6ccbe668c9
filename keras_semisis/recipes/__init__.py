"""Named choices of networks and settings, and what builds a system from them."""

from keras_semisis.recipes.few_labels import few_labels

__all__ = ["few_labels"]
