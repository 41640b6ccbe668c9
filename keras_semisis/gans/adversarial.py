"""AdversarialModel: networks, phases, optimisers and a moving average, trained through Keras's own fit."""

import hashlib
import itertools
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_semisis.data import DataError, LabelSpace, training_stream
from keras_semisis.data.batch_rule import BatchRule, host_array
from keras_semisis.data.batch_stream import original_errors
from keras_semisis.data.eight_bit import to_8_bit
from keras_semisis.data.own_batches import own_batches
from keras_semisis.gans.engines import engine
from keras_semisis.gans.phase import Phase, frozen
from keras_semisis.gans.validation import Columns, EpochLogs, Validation, check_end
from keras_semisis.layers import BatchNorm
from keras_semisis.models import frozen_features_of
from keras_semisis.models.image_size import check_channels_last
from keras_semisis.models.trunk_families import refuse_relatives


class NonFiniteLossError(FloatingPointError):
    """A loss term or a gradient became infinite or NaN. The model holds its last good state."""


class AdversarialModel(engine.TrainStep, keras.Model):
    """A GAN as a list of phases: the base class of every system in this package.

    A subclass names its networks in ``network_names`` (attributes of the model, ``"generator"`` among them) and returns its
    algorithm from `phases`. This class runs the phases in order, once per step, each with its own networks' optimisers;
    keeps ``ema_generator``, the moving average of the generator; and gives the verbs ``compile``, ``fit``, ``generate``,
    ``evaluate`` and ``save``. It is the same on TensorFlow, JAX and PyTorch.

    Args:
        generator: Model from ``[label_map, noise]`` or ``[label_map]`` to images in [-1, 1].
        ema_decay: Decay d of the moving average; at step t it is ``min(d, (1 + t) / (10 + t))``, so that a short run does
            not show its initial weights.
        seed: Seed of the noise that training draws.
    """

    network_names: tuple[str, ...] = ("generator",)
    _label_space: LabelSpace | None = None

    def __init__(self, generator: keras.Model, ema_decay: float | None = 0.9999, seed: int = 0, **kwargs):
        check_channels_last()
        super().__init__(**kwargs)
        engine.check_distribution(self)
        self.generator = generator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.ema_decay = ema_decay
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.statistics_batches = 51
        self.built = True
        self._evaluation_metrics = None
        self._calibration = None
        self._calibrated_at = None
        self._batch_statistics = None
        # the optimisers' composite has it among its variables, which JAX carries through a step
        self._steps = Untracked(keras.Variable(0, dtype="int", trainable=False, name="iteration",
                                               aggregation="only_first_replica"))
        self._step = 0
        self.eagerly = False
        self._optimized = Untracked({})
        self._restored = Untracked(None)
        self._idle = frozenset()
        self._layers_trainable = None
        self._finite = {}
        self._functions = Untracked({})

    # -- what the labels mean -----------------------------------------------------------------------------------

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
        """That it has as many classes, and the same don't-care class; of a bare generator neither need be known."""
        number, ignored = (getattr(self, name, getattr(label_space, name)) for name in ("num_classes", "ignore_class"))
        if label_space.num_classes != number:
            raise ValueError(f"The label space has {label_space.num_classes} classes, the model num_classes={number}. Give the "
                             "label space of the data that the model is for, or build the model for its number of classes.")
        if label_space.ignore_class != ignored:
            raise ValueError(f"The don't-care class of the label space is {label_space.ignore_class}, the model has "
                             f"ignore_class={ignored}. Build the model with that of the label space.")

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

    # -- the algorithm ------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """One training iteration: the phases, in their order."""
        raise NotImplementedError

    def iterate(self, data):
        """One training step on one batch: every phase, then the moving average. Returns the logs.

        Each part is compiled by itself, so that a step with R1 and one without have the rest in common.
        """
        ok, logs = ops.convert_to_tensor(True), {}
        for phase in self.phases():
            due = phase.due(self._step)
            if not due or self._idle.issuperset(phase.trains):  # all weights are 0, or nothing is to learn
                continue
            ok, terms = self.run((phase.name, due), partial(self._run, phase, due), data, ok)
            self._finite[phase.name] = ok
            logs |= {f"{phase.name}/{term}": value for term, value in terms.items()}
        self.run("end", self._end_step, ok)
        self._step += 1
        return logs

    def _run(self, phase: Phase, due, data, ok):
        """One phase: the loss, its gradients, the update. Nothing is updated once a loss or gradient is not finite."""
        trained, state = self._trained(phase), self._state(phase)
        total, terms, new_state, gradients = self._differentiate(phase, due, data)

        # a sum is finite only if every summand is
        ok = ops.logical_and(ok, ops.isfinite(total + sum(ops.sum(gradient) for gradient in gradients)))

        changed = [(variable, value) for variable, value in zip(state, new_state, strict=True) if value is not None]

        def update():
            for variable, value in changed:
                variable.assign(value)
            remaining = iter(gradients)
            for name, group in trained.items():
                self.optimizers[name].apply(list(itertools.islice(remaining, len(group))), group)

        variables = [v for group in trained.values() for v in group]
        slots = [v for name in trained for v in self.optimizers[name].variables]
        engine.apply(ok, update, [*(variable for variable, _ in changed), *variables, *slots])
        return ok, terms

    def _differentiate(self, phase: Phase, due, data):
        """A phase's loss, its terms, the networks' state after it (None where it stays), its gradients. Writes nothing."""
        variables = [v for group in self._trained(phase).values() for v in group]
        state = self._state(phase)
        outside = engine.outside(self.variables)
        before = {id(v): value for v, value in outside}

        def updated(scope, variable):
            value = scope.get_current_value(variable)
            return None if value is before.get(id(variable)) else value

        def loss(values):
            mapping = outside + list(zip(variables, values, strict=True))
            with keras.StatelessScope(mapping) as scope:
                terms = {name: value for name, value in phase.loss(data, due).items() if name in due}
                total = sum(phase.weights[name] * value for name, value in terms.items())
            return total, (terms, [updated(scope, v) for v in state])

        with frozen([getattr(self, name) for name in self.network_names if name not in phase.trains]):
            total, (terms, new_state), gradients = engine.value_and_gradients(loss, variables)
        return total, terms, new_state, gradients

    def _trained(self, phase):
        return {name: getattr(self, name).trainable_variables for name in phase.trains}

    def _state(self, phase):
        """What a phase changes beside the variables that it trains."""
        state = [v for name in phase.trains for v in getattr(self, name).non_trainable_variables]
        return [*state, self.seed_generator.state]

    def _end_step(self, ok):
        """Moves the generator's average and counts the step, unless a phase has stopped it."""
        steps = self._steps.value
        learned = {id(v) for v in self._optimized.value["generator"]}

        def update():
            step = ops.cast(steps, "float32")
            decay = ops.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
            for average, current in zip(self.ema_generator.variables, self.generator.variables, strict=True):
                value = ops.convert_to_tensor(current)
                if id(current) in learned:
                    value = decay * average + (1.0 - decay) * value
                average.assign(value)
            steps.assign_add(ops.ones((), steps.dtype))

        engine.apply(ok, update, [*self.ema_generator.variables, steps])
        return ok

    def draw_noise(self, label_map):
        """Standard normal noise for a batch of label maps, ``(B, noise_channels)``; None for a generator without noise."""
        if self.noise_channels == 0:
            return None
        return keras.random.normal((ops.shape(label_map)[0], self.noise_channels), seed=self.seed_generator)

    def synthesise(self, label_map, training=True):
        """The generator's images for a batch of label maps, with fresh noise."""
        return self.generate_from(label_map, self.draw_noise(label_map), training=training)

    def generate_from(self, label_map, noise, training=True):
        """The generator's images for a batch of label maps and its noise, None for a generator without."""
        return self.generator([label_map] if noise is None else [label_map, noise], training=training)

    @property
    def noise_channels(self) -> int:
        """Length of the generator's noise vector; 0 where it takes none."""
        return self.generator.inputs[1].shape[-1] if len(self.generator.inputs) > 1 else 0

    def call(self, inputs, training=False):
        """The moving-average generator."""
        self._check_generator_inputs(inputs)
        return self.ema_generator(inputs, training=training)

    def _check_generator_inputs(self, inputs):
        if self.noise_channels and not isinstance(inputs, list | tuple | dict):
            raise ValueError("The generator takes [label_map, noise], not a label map alone. For photos of label maps call "
                             "generate(label_maps, seed=0), which draws the noise.")

    # -- compile ------------------------------------------------------------------------------------------------

    def compile(self, optimizers: dict[str, keras.optimizers.Optimizer], metrics=None, statistics_batches: int = 51,
                jit_compile="auto", run_eagerly: bool = False):
        """Gives each network its optimiser. The step that was reached and the moving average stay as they are.

        Args:
            optimizers: An optimiser per name in ``network_names``. A learning-rate schedule sees the training step, also
                where a network is updated several times in one.
            metrics: What `evaluate` computes by default: objects as those of `keras_semisis.metrics`.
            statistics_batches: Number of training batches from which the moving-average generator's batch-norm statistics
                are re-estimated before it is used; the published protocol has 51.
            jit_compile: Whether XLA compiles the phases. ``"auto"``: on JAX, and not on TensorFlow (whose own convolutions
                are several times faster on a CPU); it has no effect on PyTorch.
            run_eagerly: Whether the phases run operation by operation, for debugging.

        Raises:
            ValueError: For an optimiser with ``gradient_accumulation_steps``; for a dtype policy, of Keras or of a network,
                other than float32 and mixed_bfloat16; within the scope of a `tf.distribute` strategy.
        """
        for name in self.network_names:
            if optimizers[name].gradient_accumulation_steps:
                raise ValueError(
                    f"compile: the optimizer of {name} has gradient_accumulation_steps="
                    f"{optimizers[name].gradient_accumulation_steps}, which counts updates: a network that has two in a "
                    "training step would take them in half the steps. Leave it out; give the data sets a larger batch_size.")
        self._check_precision()
        engine.check_distribution(self)
        optimized = self._to_optimize()
        optimizer_of = {id(v): optimizers[name] for name, group in optimized.items() for v in group}
        composite = NetworkOptimizers(lambda variable: optimizer_of[id(variable)], self._steps.value)
        # Keras's loop runs the step as Python; what is compiled are the phases
        super().compile(optimizer=composite, run_eagerly=True, jit_compile=False)
        self._set_compilation(eagerly=run_eagerly, jit=engine.JIT_BY_DEFAULT if jit_compile == "auto" else jit_compile)
        composite.build([v for v in self.variables if id(v) in optimizer_of])
        self._optimizers, self._optimized = Untracked(optimizers), Untracked(optimized)
        self._evaluation_metrics = metrics
        self.statistics_batches = statistics_batches

    def _check_precision(self):
        policies = {"The policy": keras.config.dtype_policy()}
        for name in self.network_names:
            policies |= {f"The network {name}": layer.dtype_policy for layer in getattr(self, name)._flatten_layers()
                         if not _is_precise_enough(layer.dtype_policy)}
        for what, policy in policies.items():
            if not _is_precise_enough(policy):
                raise ValueError(
                    f"{what} is of {policy.name}, but training is in float32 or mixed_bfloat16 (float16 would need loss "
                    'scaling, and optimizers need float32 variables): keras.config.set_dtype_policy("mixed_bfloat16") before '
                    "the networks are built.")

    def _to_optimize(self):
        """The variables that an optimiser is to know, by network: those that are trainable, or that were for a saved model."""
        variables = {name: getattr(self, name).variables for name in self.network_names}
        if self._restored.value is not None:
            return {name: [variables[name][i] for i in places] for name, places in self._restored.value.items()}
        return {name: getattr(self, name).trainable_variables for name in self.network_names}

    def _optimized_places(self):
        """What `_to_optimize` needs of a saved model."""
        known = {id(v) for group in self._optimized.value.values() for v in group}
        return {name: [i for i, v in enumerate(getattr(self, name).variables) if id(v) in known]
                for name in self._optimized.value}

    def notice_frozen_layers(self):
        """Before a step: layers may have been frozen or thawed since the last one.

        Raises:
            ValueError: If variables are to be trained that `compile` has not given to an optimiser.
        """
        networks = [getattr(self, name) for name in self.network_names]
        trainable = [layer.trainable for network in networks for layer in network._flatten_layers()]
        if trainable == self._layers_trainable:
            return
        for name, network in zip(self.network_names, networks, strict=True):
            known = {id(v) for v in self._optimized.value[name]}
            new = [v.path for v in network.trainable_variables if id(v) not in known]
            if new:
                raise ValueError(
                    f"{name}: {len(new)} variables, {new[0]} the first, were frozen when compile gave the others to the "
                    "optimizer, and are trainable now. Call compile again: step and moving average stay, the optimizers "
                    "begin anew.")
        self._layers_trainable = trainable
        self._idle = frozenset(
            name for name, network in zip(self.network_names, networks, strict=True) if not network.trainable_variables)
        self._forget_compiled()

    def _set_compilation(self, eagerly, jit):
        self.eagerly, self.jit = eagerly, jit
        self._layers_trainable = None
        self._forget_compiled()

    def _forget_compiled(self):
        """Phases are compiled anew where something that they hold as a constant has changed."""
        self._functions, self._batch_statistics = Untracked({}), None

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The optimiser of each network."""
        return self._optimizers.value

    @property
    def step(self) -> int:
        """Number of training steps done, in whatever calls of `fit`. It is saved with the model; `compile` keeps it."""
        self.synchronise()
        return int(ops.convert_to_numpy(self._steps.value.value))

    # -- fit ----------------------------------------------------------------------------------------------------

    def _fit(self, datasets, epochs=1, steps_per_epoch=None, initial_epoch=0, initial_step=None, callbacks=None,
             validation_data=None, validation_freq=1, verbose="auto", validation_steps=None, validation_batch_size=None,
             names=None, batch_size=8):
        """`fit` on any number of data sets that repeat independently; a batch is the tuple of their batches."""
        self._assert_compile_called("fit")
        engine.check_distribution(self)
        names = names or [f"Data set {i}" for i in range(len(datasets))]
        datasets = [own_batches(dataset, self.batch_rule, name, batch_size=batch_size, paired=not name.startswith("unpaired"),
                                kept=self.statistics_batches) for dataset, name in zip(datasets, names, strict=True)]
        if steps_per_epoch is None:
            steps_per_epoch = max(_length(dataset) for dataset in datasets)
        total_steps = epochs * steps_per_epoch
        start = initial_epoch * steps_per_epoch if initial_step is None else initial_step
        # what the data sets count as done before the first of these epochs
        done = self.step if initial_step is None and not initial_epoch else 0
        self.notice_frozen_layers()
        validation = None if validation_data is None else Validation(
            self, validation_data, validation_steps, validation_batch_size or batch_size, validation_freq)
        calibration = self._calibration, self._calibrated_at
        self._calibration, self._calibrated_at = _Calibration(datasets[-1], self.statistics_batches), None
        self._step = before = self.step
        self._adapt_features(datasets[-1])
        stream = training_stream(datasets, done + start, done + total_steps)
        epoch_logs, history = EpochLogs(), None
        callbacks = [_Guard(validation), *self._with_columns(callbacks or [], validation), epoch_logs]
        # A run that stopped inside an epoch finishes that epoch first
        for begin, end in _epochs(start, steps_per_epoch, total_steps):
            if begin != start:
                stream = training_stream(datasets, done + begin, done + total_steps)
            try:
                with original_errors(datasets):
                    part = super().fit(
                        stream, epochs=-(-end // steps_per_epoch), initial_epoch=begin // steps_per_epoch,
                        steps_per_epoch=min(steps_per_epoch, end - begin), callbacks=callbacks, verbose=verbose, shuffle=False)
            except DataError:
                if self.step == before:
                    self._calibration, self._calibrated_at = calibration
                else:  # between two steps the model is as good as after any other: callbacks end, and save
                    for callback in callbacks:
                        with suppress(DataError):
                            callback.on_train_end()
                raise
            if history is not None:
                part.epoch[:0] = history.epoch
            history = part
            history.history = epoch_logs.history()
            if self.stop_training:
                break
        return history

    def _with_columns(self, callbacks, validation):
        """Callbacks of Keras that write tables are told what there will be."""
        names = [f"{phase.name}/{term}" for phase in self.phases() if not self._idle.issuperset(phase.trains)
                 for term, weight in phase.weights.items() if weight]
        names += validation.names if validation else []
        return [part for callback in callbacks for part in (
            (Columns(callback, names), callback) if isinstance(callback, keras.callbacks.CSVLogger) else (callback,))]

    def _adapt_features(self, dataset):
        """Frozen trunks that have not seen training photos yet take their constants from the data set's."""
        for name in self.network_names:
            for layer in frozen_features_of(getattr(self, name)):
                if not float(ops.convert_to_numpy(layer.adapted)):
                    layer.adapt(ops.convert_to_numpy(image) for image, _ in dataset)

    @property
    def batch_rule(self) -> BatchRule:
        """What batches and label maps must be for this model."""
        classes = getattr(self, "num_classes", None)
        if classes is None:
            classes = next((layer.num_classes for layer in self.generator.layers if hasattr(layer, "num_classes")), None)
        return BatchRule(classes, tuple(self.generator.inputs[0].shape[1:]), getattr(self, "ignore_class", None))

    # -- use ----------------------------------------------------------------------------------------------------

    def generate(self, label_maps, seed: int = 0, batch_size: int = 8,
                 first: int | str | Sequence[str] = 0) -> np.ndarray:
        """Photos for label maps, from the moving-average generator.

        The noise of map i depends on the seed and on its number ``first + i`` alone, or on its name. It is the same on every
        backend, and for an image in whatever batch it is computed: ``generate(maps, seed)[i]`` is ``generate(maps[i], seed,
        first=i)``, and the photo that the command line draws for ``street.png`` is ``generate(map, seed, first="street")``.

        Args:
            label_maps: ``(B, H, W)`` of any integer dtype, or one map ``(H, W)``.
            seed: Seed of the noise.
            batch_size: How many images are computed at once.
            first: Number of the first map; or the maps' names, as many as there are maps, or the one of one map. The command
                line takes those of the files, without folder and ending.

        Returns:
            uint8 ``(B, H, W, 3)``, or ``(H, W, 3)`` for one map.

        Raises:
            ValueError: If names and maps differ in number.
            DataError: If an id is none of the classes, or shape or dtype are others.
        """
        label_maps = host_array(label_maps)
        images = self.generate_floats(label_maps if label_maps.ndim != 2 else label_maps[None], seed, batch_size, first)
        photos = to_8_bit(images)
        return photos if label_maps.ndim != 2 else photos[0]

    def generate_floats(self, label_maps, seed: int = 0, batch_size: int = 8,
                        first: int | str | Sequence[str] = 0) -> np.ndarray:
        """As `generate`, before the images are rounded to 8 bits.

        Args:
            label_maps: Integers ``(B, H, W)``.
            seed, batch_size, first: As in `generate`.

        Returns:
            float32 ``(B, H, W, 3)`` in [-1, 1].

        Raises:
            DataError: As `generate` raises it.
        """
        label_maps = self.batch_rule.label_maps(label_maps, "generate")
        self.refresh_statistics()
        inputs = [label_maps]
        if self.noise_channels:
            draws = [np.random.default_rng((seed, number)).standard_normal(self.noise_channels)
                     for number in _numbers(first, len(label_maps))]
            inputs.append(np.asarray(draws, "float32"))
        return self.ema_generator.predict(inputs, batch_size=batch_size, verbose=0)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Images in [-1, 1] from the inputs of the moving-average generator, as Keras's predict; `generate` draws the noise.

        Raises:
            ValueError: For label maps without noise, where the generator takes some.
        """
        if hasattr(x, "shape"):
            self._check_generator_inputs(x)
        self.refresh_statistics()
        return super().predict(x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)

    def export(self, filepath, *args, **kwargs):
        """Exports the moving-average generator, inputs ``[label_map, noise]``, as `keras.Model.export` does."""
        self.refresh_statistics()
        return self.ema_generator.export(filepath, *args, **kwargs)

    def train_on_batch(self, *args, **kwargs):
        """Not supported: a step needs a batch of each data set, and its number."""
        raise NotImplementedError("train_on_batch: call fit(..., steps_per_epoch=1), which goes on at each call.")

    def test_on_batch(self, *args, **kwargs):
        """Not supported: scores are of whole sets."""
        raise NotImplementedError("test_on_batch: call evaluate(images, label_maps, metrics=[...]).")

    def refresh_statistics(self):
        """Re-estimates the moving-average generator's batch-norm statistics on training label maps, if it has moved.

        `generate`, `evaluate`, saving and the end of `fit` do so by themselves. The next training step overwrites them.
        """
        self.synchronise()
        if self._calibration is None or self._calibrated_at == self.step:
            return
        norms = [layer for layer in self.ema_generator._flatten_layers() if isinstance(layer, BatchNorm)]
        if norms and self._calibration.label_maps():
            self._reestimate(norms)
        self._calibrated_at = self.step

    @contextmanager
    def statistics_of(self, dataset, batches: int):
        """Inside, the moving-average generator's batch-norm statistics are those of the first batches of a data set.

        Args:
            dataset: ``(image, label_map)`` batches, as `fit` takes them.
            batches: Number of batches; a shorter data set repeats.
        """
        before = self._calibration, self._calibrated_at, self.ema_generator.get_weights()
        dataset = own_batches(dataset, self.batch_rule, "statistics_of")
        self._calibration, self._calibrated_at = _Calibration(dataset, batches), None
        try:
            yield
        finally:
            self._calibration, self._calibrated_at, weights = before
            self.ema_generator.set_weights(weights)

    def _reestimate(self, norms):
        variables = self.ema_generator.variables
        statistics = [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]

        def batch_statistics(values, inputs):
            with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
                self.ema_generator(inputs, training=True)
            return [scope.get_current_value(v) for v in statistics]

        if self._batch_statistics is None:
            self._batch_statistics = batch_statistics if self.eagerly else engine.compiled(batch_statistics)
        values, noise, batches = [v.value for v in variables], np.random.default_rng(self.seed), []
        # with no momentum, the running statistics are those of the batch
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 0.0
        try:
            for label_map in self._calibration.label_maps():
                inputs = [ops.convert_to_tensor(label_map, "int32")]
                if self.noise_channels:
                    draw = noise.standard_normal((len(label_map), self.noise_channels))
                    inputs.append(ops.convert_to_tensor(draw, "float32"))
                batches.append([ops.convert_to_numpy(s) for s in self._batch_statistics(values, inputs)])
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
        for variable, of_batches in zip(statistics, zip(*batches, strict=True), strict=True):
            variable.assign(np.mean(of_batches, axis=0, dtype="float64").astype("float32"))

    @property
    def trunks(self) -> dict[str, list[str]]:
        """The families of pretrained networks that this model was trained with, by what they stood in."""
        return {}

    def check_judges(self, metrics) -> None:
        """Refuses metrics whose networks are of a family that this model was trained with.

        Args:
            metrics: Objects as those of `keras_semisis.metrics`.

        Raises:
            ValueError: Naming the networks, their family, and where it trained.
        """
        networks = [network for metric in metrics for network in getattr(metric, "networks", ())]
        refuse_relatives(self.trunks, {getattr(network, "name", "a judge"): network for network in networks})

    def evaluate(self, x, y=None, metrics=None, seed: int = 0, steps: int | None = None, verbose="auto", **kwargs):
        """Scores of one generated image per label map, beside those of the real images.

        Args:
            x: Data set of ``(image, label_map)`` batches, as `fit` takes them, or an array of images in [-1, 1] or uint8.
            y: The label maps, where x is an array.
            metrics: Objects as those of `keras_semisis.metrics`; None is those given to `compile`.
            seed: Seed of the noise.
            steps: Number of batches; None is all.
            verbose: Whether the scores are printed.
            **kwargs: Further arguments of Keras's evaluate, accepted so that both are called alike: ``batch_size`` (for
                arrays) and ``return_dict``, which is always true here.

        Returns:
            Dict of scores, as each metric names them; those of real images end in ``_real``.

        Raises:
            ValueError: If no metrics were given here or to `compile`, a network of theirs may not judge this model (see
                `check_judges`), or the data set has no end and ``steps`` is None.
            DataError: If photos or label maps are not what the model takes, or the data set's classes are others.
        """
        metrics = self._evaluation_metrics if metrics is None else metrics
        if not metrics:
            raise ValueError("evaluate needs metrics=[...], here or in compile: for example "
                             "keras_semisis.metrics.GeneratedMeanIoU(segmenter).")
        self.check_judges(metrics)
        self.require_same_classes(x=x, **{
            f"the segmenter of {metric.name}": metric.segmenter for metric in metrics if hasattr(metric, "segmenter")})
        for metric in metrics:
            metric.reset_state()
        done = 0
        for image, label_map in self.evaluation_batches(x, y, steps, kwargs.get("batch_size")):
            generated = self.generate_floats(label_map, seed, batch_size=len(label_map), first=done)
            done += len(label_map)
            for metric in metrics:
                metric.update_state(label_map, image, generated)
        scores = {}
        for metric in metrics:
            scores |= metric.result()
        if verbose:
            print(", ".join(f"{name}: {value:.4g}" for name, value in scores.items()))
        return scores

    @property
    def metrics_of_compile(self):
        """What was given to `compile` as ``metrics``."""
        return self._evaluation_metrics

    def evaluation_batches(self, x, y=None, steps=None, batch_size=None):
        """The batches that `evaluate` reads, checked."""
        if y is None:
            check_end(x, steps)
        given = x if y is None else (x, y)
        batches = own_batches(given, self.batch_rule, "evaluate", batch_size=batch_size or 8, training=False)
        return itertools.islice(iter(batches), steps)

    # -- save ---------------------------------------------------------------------------------------------------

    # Every way of saving comes here first: save, save_weights, keras.saving.save_model, callbacks of Keras

    def save_own_variables(self, store):
        self.refresh_statistics()
        super().save_own_variables(store)
        store["seed_generator"] = np.stack([ops.convert_to_numpy(state.value) for state in self._seed_states()])
        store["step"] = np.asarray(self.step)

    def load_own_variables(self, store):
        if "step" in store.keys():  # older files have it with the optimisers alone
            self._steps.value.assign(store["step"][()])
        # files of models without dropout may hold one state alone
        values = np.reshape(store["seed_generator"][()], (-1, 2))
        for state, value in zip(self._seed_states(), values, strict=True):
            state.assign(value)
        super().load_own_variables({k: store[k] for k in store.keys() if k not in ("seed_generator", "step")})
        self._calibrated_at = self.step  # the statistics are those of the file

    def _seed_states(self):
        """States of the model's seed generator and of those of its networks' layers, such as dropout. Keras saves none."""
        return [seeds.state for layer in self._flatten_layers() for seeds in layer._seed_generators]


class NetworkOptimizers(keras.optimizers.MultiOptimizer):
    """The optimisers of the networks as one. They are saved each by itself, not once more here as Keras's class does.

    Args:
        optimizer_of: A variable's optimiser.
        steps: Variable that counts the training steps. It is what ``iterations`` is, and what learning-rate schedules see;
            each optimiser counts its network's updates beside.
    """

    def __init__(self, optimizer_of, steps):
        super().__init__(optimizer_of)
        self._untrack_variable(self._iterations)
        self._iterations = steps

    def build(self, var_list):
        super().build(var_list)
        for optimizer in self.optimizers:
            _schedule_by(optimizer, self.iterations)

    def finalize_variable_values(self, var_list):
        super().finalize_variable_values([v for v in var_list if self._var_key(v) in self._var_to_optimizer_idx])

    def save_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            store[str(i)] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store):
        if not store.keys():
            warnings.warn("These are weights of a model that was not compiled: the optimizers begin anew.", stacklevel=2)
            return
        for i, variable in enumerate(self._variables):
            variable.assign(store[str(i)])


def _schedule_by(optimizer, steps):
    """Lets an optimiser's learning-rate schedule see training steps in place of the optimiser's own updates."""
    def learning_rate():
        rate = optimizer._learning_rate
        is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
        return rate(steps) if is_schedule else type(optimizer)._get_current_learning_rate(optimizer)

    optimizer._get_current_learning_rate = learning_rate


class Untracked:
    """Holds something that Keras is not to track or save by itself."""

    def __init__(self, value):
        self.value = value


class _Calibration:
    """The first label maps of a training set, kept as they are first asked for."""

    def __init__(self, dataset, batches):
        self.dataset = dataset
        self.batches = batches
        self.kept = None

    def label_maps(self):
        if self.kept is None:
            first = []
            while len(first) < self.batches:
                one_pass = list(itertools.islice(self.dataset.label_maps(), self.batches - len(first)))
                if not one_pass:
                    break
                first += one_pass
            self.kept = [label_map for label_map in first if label_map is not None]
            if len(self.kept) < len(first):
                warnings.warn(f"{len(first) - len(self.kept)} of the first {len(first)} batches cannot be read, and are left "
                              "out of the moving average's batch-norm statistics. Training will end with an error where it "
                              "draws them.", stacklevel=2)
        return self.kept


class _Guard(keras.callbacks.Callback):
    """Stops at a loss that is not finite, averages the logs of an epoch, and runs the validation."""

    def __init__(self, validation):
        super().__init__()
        self.validation = validation

    def on_epoch_begin(self, epoch, logs=None):
        self.sums = {}

    def on_train_batch_end(self, batch, logs=None):
        logs = {name: float(ops.convert_to_numpy(value)) for name, value in (logs or {}).items()}
        # not self.model, which on JAX copies the whole state back into the variables
        for phase, finite in self._model._finite.items():
            if not float(ops.convert_to_numpy(finite)):
                self._stop(phase, logs)
        for name, value in logs.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)

    def _stop(self, phase, logs):
        terms = [name for name, value in logs.items() if name.startswith(f"{phase}/") and not np.isfinite(value)]
        what = f"loss term {' and '.join(terms)} is" if terms else "gradient is"
        path = Path(tempfile.mkdtemp(prefix="keras_semisis_")) / "last_good.keras"
        self.model.save(path)
        raise NonFiniteLossError(
            f"Training stopped at step {self.model.step + 1}, phase {phase!r}: its {what} not finite. The state before that "
            f"update is saved in {path}. A lower learning rate, or float32 instead of bfloat16, are the usual remedies.")

    def on_epoch_end(self, epoch, logs=None):
        for name, (total, count) in self.sums.items():
            logs[name] = total / count
        if self.validation is not None and self.validation.is_due(epoch):
            logs.update(self.validation.scores(self.model))

    def on_train_end(self, logs=None):
        self.model.refresh_statistics()


def _is_precise_enough(policy):
    floats = {policy.compute_dtype, policy.variable_dtype} & {"float16", "bfloat16", "float64"}
    return not floats or policy.name == "mixed_bfloat16"


def _numbers(first, count):
    """What the noise of each of so many label maps depends on."""
    if isinstance(first, int | np.integer):
        return range(first, first + count)
    names = [first] if isinstance(first, str) else list(first)
    if len(names) != count:
        raise ValueError(f"first: {len(names)} names for {count} label maps; give one for each, or the number of the first.")
    return [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") for name in names]


def _length(dataset):
    try:
        return len(dataset)
    except TypeError:
        raise ValueError("The length of the data set is unknown or infinite: give fit(steps_per_epoch=...).") from None


def _epochs(start, steps_per_epoch, total_steps):
    """Step ranges for successive calls of Keras's fit: what is left of a begun epoch, then the whole ones."""
    boundary = min(-(-start // steps_per_epoch) * steps_per_epoch, total_steps)
    return [(begin, end) for begin, end in ((start, boundary), (boundary, total_steps)) if end > begin]


