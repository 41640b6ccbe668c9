"""What a model's classes are and mean, and what photos and label maps must be for it."""

import warnings
from dataclasses import replace
from typing import Any

from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.stream.batch_rule import BatchRule
from keras_semisis.gans.untracked import HasUntracked
from keras_semisis.models.edges import reads_edges
from keras_semisis.models.label_ids import number_of_classes, number_of_ids

_UNSAID: Any = object()


class KnowsClasses(HasUntracked):
    """A model with a ``generator`` that knows its classes: as it was told, as its data sets say, or as the generator shows."""

    _num_classes: int | None = None
    _image_size: tuple[int, int] | None = None
    _ignore_class = _UNSAID
    _label_space: LabelSpace | None = None

    @property
    def num_classes(self) -> int | None:
        """Number of label ids, the don't-care class included; None where nobody knows it."""
        if self._num_classes is not None:
            return self._num_classes
        if self._label_space is not None:
            return self._label_space.num_classes
        return number_of_ids(self.generator)

    @num_classes.setter
    def num_classes(self, num_classes):
        self._num_classes = num_classes

    @property
    def image_size(self) -> tuple[int, int]:
        """``(height, width)`` of the photos."""
        return self.generator.output_shape[1:3] if self._image_size is None else self._image_size

    @image_size.setter
    def image_size(self, image_size):
        self._image_size = image_size if image_size is None else tuple(image_size)

    @property
    def ignore_class(self) -> int | None:
        """The don't-care class, or None."""
        if self._ignore_class is not _UNSAID:
            return self._ignore_class
        return None if self._label_space is None else self._label_space.ignore_class

    @ignore_class.setter
    def ignore_class(self, ignore_class):
        number = self.num_classes
        if ignore_class is not None and number is not None and not 0 <= ignore_class < number:
            raise ValueError(
                f"ignore_class={ignore_class} is not one of the class ids 0..{number - 1}. The don't-care "
                f"class counts as one: give num_classes={number + 1}, ignore_class={number}, and label "
                f"maps in which it has that id: np.where(label_map == {ignore_class}, {number}, label_map)."
            )
        self._ignore_class = ignore_class

    @property
    def label_space(self) -> LabelSpace | None:
        """What the classes mean, and which class an id in a label file is: ``gan.label_space.read(path)``.

        Given to the constructor, else that of the data sets of the first `fit`; a saved model holds it. None where nobody has
        said it: it may be set, on a model that an earlier version has saved too.
        """
        return self._label_space

    @label_space.setter
    def label_space(self, label_space):
        if label_space is not None:
            self._check_label_space(label_space)
        self._label_space = label_space

    def _check_label_space(self, label_space):
        """That it has as many classes, and the same don't-care class, where these are known."""
        known = self._label_space
        self._label_space = None  # a former one says nothing about the next
        rule, ignored = self.batch_rule, self._ignore_class
        self._label_space = known
        if not rule.takes(label_space.num_classes):
            raise ValueError(
                f"The label space has {label_space.num_classes} classes, the model num_classes={rule.num_classes}. Give the "
                "label space of the data that the model is for, or build the model for its number of classes."
            )
        if ignored is not _UNSAID and label_space.ignore_class != ignored:
            raise ValueError(
                f"The don't-care class of the label space is {label_space.ignore_class}, the model has "
                f"ignore_class={ignored}. Build the model with that of the label space."
            )

    def require_same_classes(self, **datasets) -> LabelSpace | None:
        """Checks that data sets have this model's classes.

        Args:
            **datasets: Data sets or sources, by the name that messages call them; what has no ``label_space`` is not looked at.

        Returns:
            The label space: the model's, else that of the first data set that has one, else None.

        Raises:
            DataError: If names or order differ from the model's or from each other: both lists.
        """
        known, whose = self.label_space, "the model"
        for name, dataset in datasets.items():
            label_space = getattr(dataset, "label_space", None)
            if label_space is None:
                continue
            if known is not None:
                known.require_same_classes(label_space, whose, name)
            else:
                self.batch_rule.require_classes(label_space, name)
            known, whose = (label_space, name) if known is None else (known, whose)
        return known

    def take_label_space(self, stacklevel: int = 2, **datasets) -> None:
        """Checks that all data sets have one label space, which is the model's from then on.

        Args:
            stacklevel: As in `warnings.warn`.
            **datasets: As in `require_same_classes`.

        Raises:
            DataError: As `require_same_classes`; or if the don't-care class of one is not the model's.

        Warns:
            UserWarning: If a data set has a don't-care class, and the model was made without.
        """
        label_space = self.require_same_classes(**datasets)
        if self.label_space is None and label_space is not None and self._ignore_class is _UNSAID:
            self.label_space = label_space
        for name, dataset in datasets.items():
            ignored = getattr(getattr(dataset, "label_space", None), "ignore_class", None)
            if ignored in (None, self.ignore_class):
                continue
            what = (
                f"{name} says that class {ignored}, {dataset.label_space.class_names[ignored]!r}, is don't-care, the model "
                f"has ignore_class={self.ignore_class}"
            )
            if self.ignore_class is not None:
                raise DataError(f"{what}. Build the model with ignore_class={ignored}, or give data of the model's.")
            warnings.warn(
                f"{what}: its pixels count as those of any other. Build the model with ignore_class={ignored} unless "
                "that is meant.",
                stacklevel=stacklevel + 1,
            )
        if self.label_space is None and label_space is not None:
            self.label_space = replace(label_space, ignore_class=self.ignore_class)

    @property
    def batch_rule(self) -> BatchRule:
        """What batches and label maps must be for this model."""
        size = tuple(self.generator.inputs[0].shape[1:])
        # of an embedding, whose rows may be more than there are classes
        spare = (self._num_classes, self._label_space, number_of_classes(self.generator)) == (None, None, None)
        return BatchRule(self.num_classes, size, self.ignore_class, instances=reads_edges(self.generator), spare=spare)
