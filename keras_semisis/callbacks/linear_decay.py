"""Learning rates that fall at the end of a training."""

from keras_semisis.callbacks.every_steps import EverySteps

# The rates fall in so many stairs, or one at every step where there are fewer
_STAIRS = 100


class LinearDecay(EverySteps):
    """Lets the learning rates of all networks fall linearly, each from its own, at the end of a training.

    SPADE was trained so over the second half (its ``niter_decay``). At step ``begin`` a rate is the optimizer's, at ``end``
    it would be 0; between them it falls in up to a hundred stairs. Give it before `Checkpoint`, so that a checkpoint has the
    rates of the next step.

    Args:
        begin: Number of training steps, as the model counts them, after which the rates begin to fall.
        end: Number of training steps after which the training ends. Whatever goes on behind it has the last rates.

    Raises:
        ValueError: If ``begin`` is negative, or not below ``end``.
        TypeError: In ``fit``, if an optimizer has a schedule, which gives its rate by itself.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019, appendix A.

    Example:

    >>> decay = LinearDecay(begin=1000, end=2000)
    >>> gan.fit(paired_ds, unpaired_ds, epochs=20, steps_per_epoch=100, callbacks=[decay])  # doctest: +SKIP
    >>> [decay.share(step) for step in (0, 1000, 1500, 1999)]
    [1.0, 1.0, 0.5, 0.01]
    """

    def __init__(self, begin: int, end: int):
        super().__init__(every=1)
        if not 0 <= begin < end:
            raise ValueError(f"begin={begin}, end={end}: give two numbers of steps, the first at least 0 and below the second.")
        self.begin, self.end = begin, end

    def share(self, step: int) -> float:
        """What is left of the rates for the step that follows ``step`` others, in (0, 1]."""
        length = self.end - self.begin
        stairs = min(_STAIRS, length)
        done = min(max(step, self.begin), self.end - 1) - self.begin
        return (stairs - done * stairs // length) / stairs

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for name, optimizer in self.model.optimizers.items():
            if not isinstance(optimizer.get_config()["learning_rate"], float):
                raise TypeError(
                    f"LinearDecay: the optimizer of {name} has a schedule. Give it a number, or leave LinearDecay out."
                )

    def act(self, logs: dict | None) -> None:
        change = self.share(self.step) / self.share(self.step - 1)
        if change == 1:
            return
        # `model` puts the state of training back into its variables before, which is why there are not many stairs
        for optimizer in self.model.optimizers.values():
            optimizer.learning_rate = change * optimizer.learning_rate
