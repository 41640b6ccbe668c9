"""Two sources as one."""

from keras_semisis.data.sources.source import Source


class Joined(Source):
    """The items of one source, then those of another.

    Args:
        first: Its label space is that of both.
        second: What follows. It has what the first has: photos, label maps or both.
    """

    def __init__(self, first: Source, second: Source):
        self.parts = (first, second)
        self.label_space = first.label_space

    def __len__(self):
        return sum(map(len, self.parts))

    def _at(self, index):
        """Number of the part, and the index in it."""
        length = len(self.parts[0])
        return (0, index) if index < length else (1, index - length)

    def name(self, index):
        number, position = self._at(index)
        return f"{number}/{self.parts[number].name(position)}"

    def location(self, index):
        number, position = self._at(index)
        return self.parts[number].location(position)

    def fingerprint(self, index):
        number, position = self._at(index)
        return self.parts[number].fingerprint(position)

    def class_counts(self, index):
        number, position = self._at(index)
        return self.parts[number].class_counts(position)

    def photo_size(self, index):
        number, position = self._at(index)
        return self.parts[number].photo_size(position)

    def image_file(self, index):
        number, position = self._at(index)
        return self.parts[number].image_file(position)

    def load_image(self, index):
        number, position = self._at(index)
        return self.parts[number].load_image(position)

    def load_label_map(self, index):
        number, position = self._at(index)
        return self.parts[number].load_label_map(position)
