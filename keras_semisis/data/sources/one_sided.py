"""One half of a source: its images without their labels, or its label maps without their images."""

from collections.abc import Sequence

import numpy as np

from keras_semisis.data.sources.source import Source, Subset


class ImagesOnly(Subset):
    """The photos of a source, in a given order; asking for a label map raises.

    Args:
        source: A source with images.
        indices: Which of them, in which order.
    """

    def __init__(self, source: Source, indices: Sequence[int] | np.ndarray):
        super().__init__(source, indices)
        self.label_space = None  # type: ignore[assignment]  # which nothing that reads label maps looks at
        self.unpaired_images = self.unpaired_labels = None

    @property
    def has_instances(self):
        return False

    def load_label_map(self, index: int) -> np.ndarray:
        raise ValueError("These are unpaired images: they have no label maps. Label maps come from the other unpaired source.")

    def load(self, index):
        return self.load_label_map(index)


class LabelMapsOnly(Subset):
    """The label maps of a source, in a given order; asking for a photo raises.

    Args:
        source: A source with label maps.
        indices: Which of them, in which order.
    """

    def __init__(self, source: Source, indices: Sequence[int] | np.ndarray):
        super().__init__(source, indices)
        self.unpaired_images = self.unpaired_labels = None

    def load_image(self, index: int) -> np.ndarray:
        raise ValueError("These are unpaired label maps: they have no photos. Photos come from the other unpaired source.")

    def load(self, index):
        return self.load_image(index)
