"""Two sources as one."""

import numpy as np

from keras_semisis.data.sources.source import Source, View


class Joined(View):
    """The items of one source, then those of another. Names and fingerprints say of which an item is.

    Args:
        first: Its label space is that of both.
        second: What follows. It has what the first has: photos, label maps or both.
    """

    def __init__(self, first: Source, second: Source):
        self.parts = (first, second)
        self.label_space = first.label_space
        if first.published_image_size == second.published_image_size:
            self.published_image_size = first.published_image_size
        if first.published_load_size == second.published_load_size:
            self.published_load_size = first.published_load_size

    def __len__(self):
        return sum(map(len, self.parts))

    def at(self, index):
        first, second = self.parts
        return (first, index) if index < len(first) else (second, index - len(first))

    def _of_part(self, index, text):
        return text and f"{int(index >= len(self.parts[0]))}/{text}"

    def name(self, index: int) -> str:
        return self._of_part(index, super().name(index))

    def fingerprint(self, index: int) -> str | None:
        return self._of_part(index, super().fingerprint(index))

    def image_fingerprint(self, index: int) -> str | None:
        return self._of_part(index, super().image_fingerprint(index))

    def instance_fingerprint(self, index: int) -> str | None:
        return self._of_part(index, super().instance_fingerprint(index))

    def label_map_bytes(self, index: int) -> bytes | None:
        first, second = (part.stored_label_space for part in self.parts)
        return super().label_map_bytes(index) if first == second else None

    @property
    def has_instances(self):
        return all(part.has_instances for part in self.parts)

    @property
    def stored_label_space(self):
        return self.parts[0].stored_label_space


def in_equal_parts(first: Source, second: Source) -> Joined:
    """Two sources as one, the items of the smaller one repeated until it has as many as the other.

    Args:
        first, second: As `Joined` takes them; neither is empty.
    """
    indices = np.arange(max(len(first), len(second)))
    return Joined(first.subset(indices % len(first)), second.subset(indices % len(second)))
