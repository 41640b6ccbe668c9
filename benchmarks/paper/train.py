"""Trains and scores one cell."""

import dataclasses
from functools import partial
from pathlib import Path

import keras_semisis as ks  # isort: skip, since it chooses a backend that is installed
import keras
import numpy as np

from benchmarks.paper.report import read_cells
from benchmarks.paper.settings import ONLY_OF, VARIANTS, Cell, Settings
from benchmarks.paper.training_record import FILE, TrainingRecord, mean_losses
from benchmarks.step_time import peak_memory
from keras_semisis import metrics, models, recipes
from keras_semisis.callbacks import Checkpoint, PeriodicEvaluation, resume
from keras_semisis.callbacks.grids import sample_grid
from keras_semisis.callbacks.log_file import read_log
from keras_semisis.callbacks.model_file import save_model
from keras_semisis.gans import ABLATIONS
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.recipes.folder_lock import locked
from keras_semisis.recipes.training import falling_rates

# Evaluations that a cell's scores are the mean of, and its losses of the steps before each
LAST = 3
_GRID_ROWS = 4
# The split is the same for every seed of the training
_SPLIT_SEED = 0


def build(method: str, settings: Settings, space, seed: int):
    """A method's model, compiled, with networks of the suite's widths."""
    s, name = settings, method if method in recipes.METHODS else "semi_paired"
    shared = [field.name for field in dataclasses.fields(recipes.TrainSettings) if hasattr(s, field.name)]
    wanted = {option: getattr(s, option) for option in shared} | {
        "generator": recipes.METHODS[name].generator if s.generator == "published" else s.generator,
        "discriminator_channels": s.discriminator_channels[:1] if name in ("spade", "cc_fpse") else s.discriminator_channels,
        "unconditional_channels": 1 / s.unconditional_divisor,
    }
    # SPADE and CC-FPSE have their published weights
    wanted |= {option: None for option, methods in ONLY_OF.items() if method not in methods}
    wanted |= VARIANTS.get(method, {})
    if wanted.get("discriminator") == "pretrained":  # which has a width for each of its trunk's five depths
        widths = s.discriminator_channels
        wanted["discriminator_channels"] = (*widths, *[widths[-1]] * 5)[:5]
    known = {option: value for option, value in wanted.items() if recipes.TrainSettings.has_use_for(option, name)}
    options = recipes.TrainSettings(output="", method=name, seed=seed, **known)
    arguments = recipes.arguments_of(options, space)
    if method in ABLATIONS:
        arguments |= ABLATIONS[method].arguments
        if ABLATIONS[method].separate_reverse:
            arguments["reverse"] = recipes.segmenting_network(options, space.num_classes, "reverse")
    gan = recipes.METHODS[name].system(**arguments)
    recipes.compile_gan(gan, options)
    return gan


def data_sets(gan, cell: Cell, settings: Settings, train, cache: Path):
    """The data sets that a method's `fit` reads, by the one split of the suite."""
    paired, images, labels = ks.data.semi_paired_split(train, cell.ratio, _SPLIT_SEED, statistics_cache=cache)
    # rare-class sampling is the semi-paired method's
    sampler = "rare_classes" if cell.method in ("semi_paired", *VARIANTS) else "uniform"
    if cell.method in ABLATIONS:
        sampler = ABLATIONS[cell.method].sampler
    size, batch, load_size = settings.image_size, settings.batch_size, settings.load_size
    made = {
        "paired_ds": lambda: ks.data.paired_dataset(
            paired, size, batch, sampler, cell.seed, statistics_cache=cache, load_size=load_size
        ),
        "unpaired_ds": lambda: ks.data.unpaired_dataset(images, labels, size, batch, cell.seed, load_size=load_size),
    }
    return [made[name]() for name in gan.data_sets]


def pairs_of(gan, cell: Cell, settings: Settings, train, cache: Path):
    """A cell's pairs, to be looked at as they are; None for a method without."""
    if "paired_ds" not in gan.data_sets:
        return None
    paired, _, _ = ks.data.semi_paired_split(train, cell.ratio, _SPLIT_SEED, statistics_cache=cache)
    return ks.data.paired_dataset(paired, settings.image_size, settings.batch_size, training=False)


def train_segmenter_of(settings: Settings, output: Path) -> None:
    """Trains the segmenters that judge every cell, on all real pairs, unless they are there.

    Raises:
        ValueError: If another process trains one.
    """
    for name in ("segmenter", *(judge for judge in settings.judges if judge == "imagenet")):
        path = output / f"{name}.keras"
        if path.exists():
            continue
        with locked(output / "running" / name):
            if not path.exists():  # another process may just have finished
                _train_segmenter(settings, path)


def _train_segmenter(settings, path):
    s, on_imagenet = settings, path.stem == "imagenet"
    recipes.use_precision(s.precision)
    keras.utils.set_random_seed(0)
    train, _ = recipes.open_data(s.data, s.image_size)
    dataset = ks.data.paired_dataset(train, s.image_size, s.batch_size, seed=0)
    classes = train.label_space.num_classes
    steps, rate = (s.imagenet_segmenter_steps, 2e-3) if on_imagenet else (s.segmenter_steps, 1e-3)
    with recipes.TerminalProgress().steps(path.stem, steps) as shown:
        segmenter = (
            models.efficientnet_lite0_segmenter(classes, s.image_size)
            if on_imagenet
            else models.unet_segmenter(classes, s.image_size, s.discriminator_channels, s.discriminator_final_channels)
        )
        recipes.train_segmenter(segmenter, dataset, steps, rate, callbacks=shown)
    save_model(segmenter, path)


def rates_of(cell: Cell, settings: Settings) -> list[keras.callbacks.Callback]:
    """What lets a cell's learning rates fall, where its method has that."""
    return falling_rates(VARIANTS.get(cell.method, {}).get("learning_rate_decay", 0.0), settings.steps)


class Judges:
    """Everything that scores a cell: at its evaluations, and at its end."""

    def __init__(self, settings: Settings, train, val, output: Path):
        size, batch, space = settings.image_size, settings.batch_size, train.label_space
        read = partial(ks.data.paired_dataset, image_size=size, batch_size=batch, training=False)
        self.validation = read(val)
        self.segmenter = recipes.load_segmenter(output / "segmenter.keras", space, size)
        self.periodic = recipes.make_metrics(self.segmenter, settings.features, train, size, batch)
        for name in settings.judges:
            network = None
            if name == "alexnet":
                network = models.alexnet_features()
            elif name == "unet" and settings.features != "segmenter":
                network = recipes.bottleneck_features(self.segmenter)
            if network is not None:
                self.periodic += recipes.metrics_of({"features": metrics.Features(network)}, read(train), space, f"_{name}")
        self.last = []
        if "imagenet" in settings.judges:
            network = recipes.load_segmenter(output / "imagenet.keras", space, size)
            self.last += recipes.metrics_of({"segmenter": network}, read(train), space)
        if "nearest_lpips" in settings.judges:
            self.last.append(metrics.METRICS["nearest_lpips"].metric.of_training(None, read(train), space))

    def at_the_end(self, gan, pairs) -> dict:
        """Scores of the last state, as a cell's JSON has them.

        Args:
            gan: The model.
            pairs: Its pairs, as an evaluation data set; None where it has none.
        """
        scores = gan.evaluate(self.validation, metrics=self.last, verbose=0) if self.last else {}
        document = {}
        if "miou" in scores:
            document["judged"] = {"imagenet": {key: scores[key] for key in ("miou", "miou_real")}}
        if "nearest_lpips" in scores:
            document["nearest_lpips"] = {"generated": scores["nearest_lpips"], "real": scores["nearest_lpips_real"]}
        if hasattr(gan, "segment"):
            document["own_miou"] = {
                name: own_miou(gan, photos) for name, photos in (("unseen", self.validation), ("pairs", pairs)) if photos
            }
        return document


def own_miou(gan, photos) -> float:
    """mIoU of what the network that segments in a model sees in real photos."""
    metric = metrics.GeneratedMeanIoU(gan.segment, gan.ignore_class, gan.num_classes)
    for image, label_map in photos:
        metric.update_state(label_map, image, image)
    return metric.result()["miou_real"]


def train_cell(cell: Cell, settings: Settings, output: Path) -> None:
    """Trains a cell, or goes on with it, and writes its JSON and its picture, unless they are there.

    Raises:
        ValueError: If another process trains it, or the records of its training are incomplete.
    """
    with locked(cell.folder(output)):
        if not cell.file(output).exists():  # another suite may have finished it
            train_segmenter_of(settings, output)
            _train_cell(cell, settings, output)


def _train_cell(cell, settings, output):
    recipes.use_precision(settings.precision)
    train, val = recipes.open_data(settings.data, settings.image_size)
    folder, every = cell.folder(output), settings.evaluate_every
    if (folder / "last.keras").is_file():
        gan, start = resume(folder)
        if getattr(gan, "perceptual", None) == "given":
            gan.perceptual = PERCEPTUAL_NETWORKS[settings.perceptual].build()
    else:
        gan, start = build(cell.method, settings, train.label_space, cell.seed), 0
    judges = Judges(settings, train, val, output)
    gan.check_judges([*judges.periodic, *judges.last])
    cache = output / "running" / f"statistics-r{cell.ratio:g}.npz"
    # a cell may have been stopped after its last checkpoint
    if start < settings.steps:
        sets = data_sets(gan, cell, settings, train, cache)
        with recipes.TerminalProgress().steps(cell.name, settings.steps, start) as shown:
            gan.fit(
                *sets,
                epochs=1,
                steps_per_epoch=settings.steps,
                initial_step=start,
                verbose=0,
                callbacks=[
                    TrainingRecord(folder, every),
                    *rates_of(cell, settings),
                    PeriodicEvaluation(judges.validation, judges.periodic, every, folder, best=None),
                    Checkpoint(folder, every),
                    *shown,
                ],
            )
    results = results_of(folder, settings) | judges.at_the_end(gan, pairs_of(gan, cell, settings, train, cache))
    images, label_maps = recipes.examples(val, settings.image_size, _GRID_ROWS)
    path = cell.file(output)
    sample_grid(path.with_suffix(".png"), gan, label_maps, images, train.label_space)
    document = (
        dataclasses.asdict(cell)
        | results
        | {
            "trunks": gan.trunks,
            "parameters": {name: getattr(gan, name).count_params() for name in gan.network_names},
            "settings": dataclasses.asdict(settings) | {"data": settings.data.partition(":")[0]},
            "versions": {"keras": keras.__version__, "backend": keras.config.backend(), "keras_semisis": ks.__version__},
        }
    )
    recipes.write_document(path, document)


def results_of(folder: Path, settings: Settings) -> dict:
    """Scores, losses and costs of a cell that is trained, from the records in its folder.

    Raises:
        ValueError: If they do not have the last steps.
    """
    every = settings.evaluate_every
    history = read_log(folder / "scores.jsonl", settings.steps)
    records = read_log(folder / FILE, settings.steps)
    evaluations = [record for record in history if record["step"] % every == 0][-LAST:]
    judged = [record["step"] for record in evaluations]
    recorded = [record for record in records if record["step"] in judged]
    if not recorded:
        raise ValueError(
            f"{folder}: this cell is trained, but {FILE} or scores.jsonl has nothing of its last steps. Remove "
            "the folder to train it again."
        )
    generated, real = metrics.split_scores(
        {name: float(np.mean([record[name] for record in evaluations])) for name in evaluations[0] if name != "step"}
    )
    return {
        "scores": generated,
        "real": real,
        "history": history,
        "losses": mean_losses(recorded),
        "losses_steps": [recorded[0]["step"] - every + 1, recorded[-1]["step"]],
        "seconds_per_step": float(np.median([record["seconds_per_step"] for record in records])),
        "peak_memory_bytes": max(peak_memory(), *(record["peak_memory_bytes"] for record in records)),
    }


def judge_cells(segmenter: Path, settings: Settings, output: Path) -> None:
    """Adds the mIoU by another segmenter to the JSON of every cell whose last state is there.

    Raises:
        ValueError: If the segmenter does not fit the data, no cell has its last state, or one has an earlier one.
    """
    train, val = recipes.open_data(settings.data, settings.image_size)
    network = recipes.load_segmenter(segmenter, train.label_space, settings.image_size)
    judges = recipes.metrics_of({"segmenter": network}, None, train.label_space)
    validation = ks.data.paired_dataset(val, settings.image_size, settings.batch_size, training=False)
    documents = [(Cell(document["method"], document["ratio"], document["seed"]), document) for document in read_cells(output)]
    documents = [(cell, document) for cell, document in documents if (cell.folder(output) / "last.keras").is_file()]
    if not documents:
        raise ValueError(f"--output {output}: no cell that is done has its last state in {output / 'running'}.")
    for cell, document in documents:
        gan, step = resume(cell.folder(output))
        if step != settings.steps:
            raise ValueError(
                f"{cell.folder(output)}: this state is of step {step}, and the cell's result of step "
                f"{settings.steps}. Remove one of them."
            )
        scores = gan.evaluate(validation, metrics=judges, verbose=0)
        document.setdefault("judged", {})[segmenter.stem] = scores
        recipes.write_document(cell.file(output), document)
        print(f"{cell.name}: mIoU {scores['miou']:.4f} (real images {scores['miou_real']:.4f})", flush=True)
