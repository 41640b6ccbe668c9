"""AdversarialModel: networks, phases, optimizers and a moving average, trained through Keras's own fit."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from types import MappingProxyType
from typing import Any, NoReturn

import keras
import numpy as np
from keras import ops

from keras_semisis.former_names import former_method
from keras_semisis.gans.batch import batch_class
from keras_semisis.gans.engines import engine
from keras_semisis.gans.fitting import name_data_sets, refuse, train
from keras_semisis.gans.network_optimizers import (
    NetworkOptimizers,
    check_precision,
    optimizer_from_config,
    optimizer_to_config,
    optimizers_of,
    saved_steps,
)
from keras_semisis.gans.phase import Phase, check_phases, take_step
from keras_semisis.gans.sampler import Sampler
from keras_semisis.gans.summary import summary_of
from keras_semisis.gans.untracked import Untracked
from keras_semisis.gans.validation import check_metrics
from keras_semisis.models import frozen_features_of
from keras_semisis.models.functional import check_functional, in_its_form
from keras_semisis.models.image_size import check_channels_last
from keras_semisis.models.keras_privates import layers_of, seed_generators_of, values_of_file


class AdversarialModel(engine.TrainStep, Sampler):
    """A GAN as a list of phases: the base class of every system in this package, and of your own.

    A subclass names its networks in ``network_names`` (attributes of the model, ``"generator"`` among them) and returns its
    algorithm from `phases`. This class runs the phases in order, once per step, each with its own networks' optimizers;
    keeps ``ema_generator``, the moving average of the generator; and gives the verbs ``compile``, ``fit``, ``generate``,
    ``evaluate`` and ``save``. It is the same on TensorFlow, JAX and PyTorch. docs/extending.md has one in full.

    Args:
        generator: Model from ``[label_map, noise]`` or ``[label_map]`` to images in [-1, 1].
        ema_decay: Decay d of the moving average; at step t it is ``min(d, (1 + t) / (10 + t))``, so that a short run does
            not show its initial weights. 0, or None, is the generator itself.
        seed: Seed of the noise that training draws.
        **kwargs: ``num_classes``, ``image_size``, ``ignore_class`` and ``label_space`` of `gans.Sampler`, which are found out
            where they are left out; arguments of `keras.Model`.

    Attributes:
        network_names: Names of the networks.
        data_sets: Names of the data sets that `fit` takes, in their order: phases find the batch of ``"paired_ds"`` as
            ``data.paired``, the pair ``(image, label_map)``. Without any, `fit` takes as many as it is given, and a batch is
            a tuple.
        optimizer_of: For a network that has no optimizer of its own: the name of that which it has a copy of.

    Example:

    >>> from keras_semisis import models
    >>> class Painter(AdversarialModel):
    ...     def phases(self):
    ...         return [Phase("generator", ("generator",), self.terms, {"l1": 1.0})]
    ...
    ...     def terms(self, data, due):
    ...         image, label_map = data[0]
    ...         return {"l1": ops.mean(ops.abs(image - self.synthesize(label_map)))}
    >>> generator = models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4, num_blocks=2, hidden_channels=4)
    >>> gan = Painter(generator)
    >>> gan.compile({"generator": "adam"}, statistics_batches=1)
    >>> photos, label_maps = np.zeros((2, 32, 32, 3), "uint8"), np.zeros((2, 32, 32), "uint8")
    >>> sorted(gan.fit((photos, label_maps), batch_size=2, verbose=0).history), gan.step
    (['generator/l1'], 1)
    """

    data_sets: tuple[str, ...] = ()
    optimizer_of: Mapping[str, str] = MappingProxyType({})
    finite = Untracked()
    _steps = Untracked()
    _optimizers = Untracked()
    _optimized = Untracked()
    _restored = Untracked()

    def __init__(self, generator: keras.Model, ema_decay: float | None = 0.9999, seed: int = 0, **kwargs):
        check_channels_last()
        check_functional({"generator": generator})
        super().__init__(generator, seed=seed, ema_generator=average_of(generator), **kwargs)
        engine.check_distribution(self)
        self.ema_decay = ema_decay
        self.seed_generator = keras.random.SeedGenerator(seed)
        # the optimizers' composite has it among its variables, which JAX carries through a step
        self._steps = keras.Variable(0, dtype="int", trainable=False, name="iteration", aggregation="only_first_replica")
        self._step = 0
        self._optimized, self._restored = {}, None
        self._idle: frozenset[str] = frozenset()
        self._trainable_parts: list[bool] | None = None
        # whether the phases of the last step, and those before, had finite losses and gradients
        self.finite = {}
        self.forget_compiled()

    # -- the algorithm ------------------------------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        """One training iteration: the phases, in their order."""
        raise NotImplementedError

    def iterate(self, data: Any) -> dict[str, Any]:
        """One training step on one batch: every phase, then the moving average. Returns the logs.

        Each part is compiled by itself, so that a step with R1 and one without have the rest in common.
        """
        data, ok = self.batch(data), ops.convert_to_tensor(True)
        logs: dict[str, Any] = {}
        for phase in self.phases():
            due = phase.due(self._step)
            if not due or self._idle.issuperset(phase.trains):  # all weights are 0, or nothing is to learn
                continue
            # what is a constant in it may have been set anew since
            constants = phase.trains, *((term, w) for term, w in phase.weights.items() if isinstance(w, Real))
            ok, terms = self.run((phase.name, due, constants), partial(take_step, self, phase, due), data, ok)
            self.finite[phase.name] = ok
            logs |= {f"{phase.name}/{term}": value for term, value in terms.items()}
        self.run(("end", self.ema_decay), self._end_step, ok)
        self._step += 1
        return logs

    def batch(self, data: Any) -> Any:
        """What phases are given: the batches of the data sets by their names, where the class has names for them."""
        return batch_class(self.data_sets)(*data) if self.data_sets else data

    def _end_step(self, ok):
        """Moves the averages and counts the step, unless a phase has stopped it."""
        steps = self._steps
        averages = self.moving_averages()
        learned = {id(v) for name in averages for v in self._optimized[name]}
        pairs = [
            pair for name, mean in averages.items() for pair in zip(mean.variables, getattr(self, name).variables, strict=True)
        ]

        def update():
            step = ops.cast(steps, "float32")
            decay = ops.minimum(self.ema_decay or 0.0, (1.0 + step) / (10.0 + step))
            for average, current in pairs:
                value = ops.convert_to_tensor(current)
                if id(current) in learned:
                    value = decay * average + (1.0 - decay) * value
                average.assign(value)
            steps.assign_add(ops.ones((), steps.dtype))

        engine.apply(ok, update, [*(average for average, _ in pairs), steps])
        return ok

    def take_averages_of_optimizers(self) -> None:
        """At the end of `fit`: averages of optimizers with ``use_ema`` become the weights, and draw if ``ema_decay`` is 0."""
        if self.optimizer.take_averages(self.trainable_variables) and not self.ema_decay:
            for name, average in self.moving_averages().items():
                average.set_weights(getattr(self, name).get_weights())
            self._calibrated_at = None

    def moving_averages(self) -> dict[str, keras.Model]:
        """Networks that follow others, by the names of those."""
        return {"generator": self.ema_generator}

    def draw_noise(self, label_map: Any) -> Any:
        """Standard normal noise for a batch of label maps, ``(B, noise_channels)``; None for a generator without noise."""
        if self.noise_channels == 0:
            return None
        return keras.random.normal((ops.shape(label_map)[0], self.noise_channels), seed=self.seed_generator)

    def synthesize(self, label_map: Any, training: bool = True, edges: Any = None) -> Any:
        """The generator's images for a batch of label maps, with fresh noise, and edges where it reads them."""
        return self.generate_from(label_map, self.draw_noise(label_map), training=training, edges=edges)

    synthesise = former_method("synthesise", "synthesize")

    def generate_from(self, label_map: Any, noise: Any, training: bool = True, edges: Any = None) -> Any:
        """The generator's images for a batch of label maps, its noise and its edges, None for a generator without."""
        inputs = in_its_form(self.generator, [part for part in (label_map, noise, edges) if part is not None])
        return self.generator(inputs, training=training)

    # -- compile ------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        metrics: Any = None,
        statistics_batches: int = 51,
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
    ) -> None:
        """Gives each network its optimizer. The step that was reached and the moving average stay as they are.

        Args:
            optimizers: An optimizer, or what `keras.optimizers.get` takes, per name in ``network_names``; of networks that
                share one (``optimizer_of``) the one name is enough, and each has a copy. One that has learned begins anew, as a
                copy: `optimizers` has those in use. A learning-rate schedule sees the training step, also where a network is
                updated several times in one.
            metrics: What `evaluate` computes by default: objects as those of `keras_semisis.metrics`.
            statistics_batches: Number of training batches from which the moving-average generator's batch-norm statistics
                are re-estimated before it is used; the published protocol has 51.
            jit_compile: Whether XLA compiles the phases. ``"auto"``: on JAX, and not on TensorFlow (whose own convolutions
                are several times faster on a CPU); it has no effect on PyTorch.
            run_eagerly: Whether the phases run operation by operation, for debugging.

        Raises:
            ValueError: If a network has no optimizer, or a name is of no network; for an optimizer with
                ``gradient_accumulation_steps``; for a dtype policy, of Keras or of a network, other than float32 and
                mixed_bfloat16; within the scope of a `tf.distribute` strategy.
        """
        check_metrics(metrics, "compile: metrics")
        optimizers = optimizers_of(self.network_names, optimizers, self.optimizer_of)
        check_precision({name: getattr(self, name) for name in self.network_names})
        engine.check_distribution(self)
        optimized = self._to_optimize()
        optimizer_by_id = {id(v): optimizers[name] for name, group in optimized.items() for v in group}
        composite = NetworkOptimizers(lambda variable: optimizer_by_id[id(variable)], self._steps)
        # Keras's loop runs the step as Python; what is compiled are the phases
        super().compile(optimizer=composite, run_eagerly=True, jit_compile=False)
        self._set_compilation(run_eagerly, jit_compile)
        composite.build([v for v in self.variables if id(v) in optimizer_by_id])
        self._optimizers, self._optimized = optimizers, optimized
        self._metrics_of_compile = metrics
        self.statistics_batches = statistics_batches

    def _to_optimize(self):
        """The variables that an optimizer is to know, by network: those that are trainable, or that were for a saved model."""
        variables = {name: getattr(self, name).variables for name in self.network_names}
        if self._restored is not None:
            return {name: [variables[name][i] for i in places] for name, places in self._restored.items()}
        return {name: getattr(self, name).trainable_variables for name in self.network_names}

    def _optimized_places(self):
        """What `_to_optimize` needs of a saved model."""
        known = {id(v) for group in self._optimized.values() for v in group}
        return {name: [i for i, v in enumerate(getattr(self, name).variables) if id(v) in known] for name in self._optimized}

    def notice_frozen_layers(self) -> None:
        """Before a step: layers may have been frozen or thawed since the last one.

        Raises:
            ValueError: If variables are to be trained that `compile` has not given to an optimizer.
        """
        networks = [getattr(self, name) for name in self.network_names]
        trainable = [part.trainable for network in networks for part in (*layers_of(network), *network.variables)]
        if trainable == self._trainable_parts:
            return
        for name, network in zip(self.network_names, networks, strict=True):
            known = {id(v) for v in self._optimized[name]}
            new = [v.path for v in network.trainable_variables if id(v) not in known]
            if new:
                raise ValueError(
                    f"{name}: {len(new)} variables, {new[0]} the first, were frozen when compile gave the others to the "
                    "optimizer, and are trainable now. Call compile again: step and moving average stay, the optimizers "
                    "begin anew."
                )
        self._trainable_parts = trainable
        self._idle = frozenset(
            name for name, network in zip(self.network_names, networks, strict=True) if not network.trainable_variables
        )
        self.forget_compiled()

    def _set_compilation(self, run_eagerly, jit_compile):
        self._compilation = {"run_eagerly": run_eagerly, "jit_compile": jit_compile}
        self.eagerly, self.jit = run_eagerly, engine.JIT_BY_DEFAULT if jit_compile == "auto" else jit_compile
        self._trainable_parts = None
        self.forget_compiled()

    def forget_compiled(self) -> None:
        """Phases are compiled anew: something that they hold as a constant has changed."""
        super().forget_compiled()
        self._draw_statistics = None

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The optimizer of each network."""
        return self._optimizers

    @property
    def step(self) -> int:
        """Number of training steps done, in whatever calls of `fit`. It is saved with the model; `compile` keeps it."""
        self.synchronize()
        return int(ops.convert_to_numpy(self._steps.value))

    def summary(self, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None, **others) -> None:
        """Prints the networks, the phases, and who learns in which; of a network by itself ``gan.generator.summary()``.

        Args:
            line_length: Width of the tables in characters; None is what they need.
            print_fn: Is called with the text; None prints it.
            **others: Keras's other arguments of summary, which are about layers. One that is set is named in an error.

        Raises:
            TypeError, ValueError: For an argument that there is not, or that is set.
        """
        refuse("summary", others)
        (print_fn or print)(summary_of(self, line_length))

    # -- fit ----------------------------------------------------------------------------------------------------

    def fit(
        self,
        *datasets,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_data: Any = None,
        validation_freq: int = 1,
        initial_epoch: int = 0,
        initial_step: int | None = None,
        verbose: int | str = "auto",
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        batch_size: int = 8,
        **others,
    ) -> keras.callbacks.History:
        """Trains on any number of data sets, each of which repeats by itself; a batch is the tuple of their batches.

        Args:
            *datasets: Data sets of batches ``(image, label_map)``, float ``(B, H, W, 3)`` in [-1, 1] and integer
                ``(B, H, W)``: from `data.paired_dataset` or `data.unpaired_dataset`, a `tf.data.Dataset`, a
                `keras.utils.PyDataset` or another iterable of batches; or a tuple of two arrays. Photos may be uint8. They may
                differ in length. What is not ours is checked: the first batch whole, the ids of every batch.
            epochs, steps_per_epoch, callbacks, initial_epoch, verbose: As in Keras. An epoch without ``steps_per_epoch``
                is one pass over the longest set.
            validation_data: Data set for `evaluate`, or arrays ``(images, label_maps)``, run every ``validation_freq``
                epochs with the metrics given to `compile`; scores are logged with the prefix ``val_``. What can be wrong
                with it is found before the first step: photos take the place of generated images in the metrics.
            validation_freq: Number of epochs, or a list of the epochs' numbers, as in Keras.
            initial_step: Step at which the data sets, and the epochs, go on where a run stopped inside an epoch. None is
                the begin of ``initial_epoch``; where that is 0, the data sets go on at `step`: a second call of `fit` reads
                on where the first has ended, and the first half of a training, which the sampler of rare classes knows, is
                that of all steps up to the end of this call. ``initial_step=0`` begins the data sets anew.
            validation_steps, validation_batch_size: As in Keras: number of batches, and batch size of arrays.
            batch_size: Items a batch, of arrays alone.
            **others: Keras's other arguments of fit, which have no use here. One that is set is named in an error.

        Returns:
            Keras's History: per epoch, the mean of every loss term, named ``"<phase>/<term>"``, and the scores. Every list
            has one value an epoch, NaN where a term was not due or no validation was run.

        Raises:
            ValueError: If data sets are missing, or more than ``data_sets`` names.
            NonFiniteLossError: If a loss or gradient is not finite, naming phase and term; the last good state is saved. If
                weights are not, where they would be saved, and at the end.
            DataError: As the data sets raise it, or if batches are not what the model takes, or classes or don't-care class
                others than the model's. The callbacks end before, as they do when training ends: `callbacks.Checkpoint` saves.

        Warns:
            UserWarning: If a data set can be read from its beginning alone, or has a don't-care class and the model none.
        """
        refuse("fit", others)
        return self._fit(
            datasets,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_freq=validation_freq,
            initial_epoch=initial_epoch,
            initial_step=initial_step,
            verbose=verbose,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            batch_size=batch_size,
        )

    def _fit(self, datasets, validation_data, **arguments):
        self._assert_compile_called("fit")
        engine.check_distribution(self)
        datasets = name_data_sets(type(self).__name__, self.data_sets, datasets)
        self.take_label_space(**datasets, validation_data=validation_data, stacklevel=3)
        self.prepare_fit()
        _check_generator(self.generator)
        self._check_averages()
        check_phases(type(self).__name__, self.phases(), self.network_names)
        return train(self, super().fit, datasets, validation_data=validation_data, **arguments)

    def _check_averages(self):
        for name, average in self.moving_averages().items():
            network = getattr(self, name)
            if [v.shape for v in average.variables] != [v.shape for v in network.variables]:
                raise ValueError(
                    f"{name}: its layers have other variables than its moving average, which was made with the model. Change "
                    "layers, such as by enable_lora, before the model is built."
                )

    def prepare_fit(self) -> None:
        """Called by `fit` before its first step, when the label space is known: for what a subclass loads only to train."""

    def begin(self, dataset: Any) -> int:
        """Before the first step on data sets: frozen trunks that saw no training photos yet take their constants from these.

        Returns:
            The step.
        """
        self._step, self.finite = self.step, {}
        for name in self.network_names:
            for layer in frozen_features_of(getattr(self, name)):
                if not float(ops.convert_to_numpy(layer.adapted)):
                    layer.adapt(ops.convert_to_numpy(image) for image, *_ in dataset)
        return self._step

    @property
    def names_of_terms(self) -> list[str]:
        """``"<phase>/<term>"`` of every term that may be due."""
        return [
            f"{phase.name}/{term}" for phase in self.phases() if not self._idle.issuperset(phase.trains) for term in phase.terms
        ]

    def train_on_batch(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not supported: a step needs a batch of each data set, and its number."""
        raise NotImplementedError("train_on_batch: call fit(..., steps_per_epoch=1), which goes on at each call.")

    def test_on_batch(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not supported: scores are of whole sets."""
        raise NotImplementedError("test_on_batch: call evaluate(images, label_maps, metrics=[...]).")

    # -- save ---------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        frozen = {
            name: [i for i, layer in enumerate(layers_of(getattr(self, name))) if not layer.trainable]
            for name in self.network_names
        }
        config = super().get_config() | {"ema_decay": self.ema_decay}
        return config | ({"frozen_layers": frozen} if any(frozen.values()) else {})

    def _further_networks(self):
        return []  # the moving average is made anew

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        frozen = config.pop("frozen_layers", {})
        model = super().from_config(config, custom_objects)
        # Keras thaws every layer of a functional model that it builds of a config
        for name, places in frozen.items():
            layers = layers_of(getattr(model, name))
            for place in places:
                layers[place].trainable = False
        return model

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "optimizers": {name: optimizer_to_config(optimizer) for name, optimizer in self.optimizers.items()},
            "statistics_batches": self.statistics_batches,
            "optimized": self._optimized_places(),
            **self._compilation,
        }

    def compile_from_config(self, config: Any) -> None:
        optimizers = {name: optimizer_from_config(part) for name, part in config["optimizers"].items()}
        # older files say nothing: what is trainable
        self._restored = config.get("optimized")
        try:
            self.compile_again(optimizers, config)
        finally:
            self._restored = None
        self._set_compilation(config.get("run_eagerly", False), config.get("jit_compile", "auto"))

    def compile_again(self, optimizers: dict[str, keras.optimizers.Optimizer], config: dict) -> None:
        """Compiles a saved model. For a subclass whose `compile` takes arguments of its own.

        Args:
            optimizers: The optimizer of each network.
            config: What `get_compile_config` gave.
        """
        AdversarialModel.compile(self, optimizers, statistics_batches=config["statistics_batches"])

    def set_weights(self, weights: Any) -> None:
        super().set_weights(weights)
        self._calibrated_at = None  # the statistics may be of others

    def _symbolic_build(self, iterator=None, data_batch=None):
        """Keras calls a model that has a layer without weights yet on a batch; phases alone know what such a layer is given."""

    # Every way of saving comes here first: save, save_weights, keras.saving.save_model, callbacks of Keras

    def save_own_variables(self, store):
        self.refresh_statistics()
        super().save_own_variables(store)
        store["seed_generator"] = np.stack([ops.convert_to_numpy(state.value) for state in self._seed_states()])
        store["step"] = np.asarray(self.step)

    def load_own_variables(self, store):
        # older files have it with the optimizers alone
        step = store["step"][()] if "step" in store.keys() else saved_steps(values_of_file(store, "optimizer/vars"))
        self._steps.assign(step)
        # files of models without dropout may hold one state alone
        values = np.reshape(store["seed_generator"][()], (-1, 2))
        for state, value in zip(self._seed_states(), values, strict=True):
            state.assign(value)
        super().load_own_variables({k: store[k] for k in store.keys() if k not in ("seed_generator", "step")})
        self._calibrated_at = self.step  # the statistics are those of the file

    def _seed_states(self):
        """States of the model's seed generator and of those of its networks' layers, such as dropout. Keras saves none."""
        return [seeds.state for layer in layers_of(self) for seeds in seed_generators_of(layer)]


def _check_generator(generator):
    takes, gives = generator.inputs[0].shape, generator.outputs[0].shape
    if len(takes) != 3 or len(gives) != 4 or gives[-1] != 3:
        raise ValueError(
            f"generator: its first input is of {tuple(takes)} and its output of {tuple(gives)}; expected label maps "
            "(batch, height, width), before noise if there is any, and images (batch, height, width, 3)."
        )


def average_of(network: keras.Model) -> keras.Model:
    """A frozen copy of a network, from which its moving average sets out."""
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False
    return average
