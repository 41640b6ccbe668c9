"""Labeled data of generated photos: a data set to train a segmenter on."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.ahead import in_order
from keras_semisis.data import BadFiles, DataError, Source, class_statistics, rare_class_probabilities
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.data.bad_files import bad_files
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.folder_layout import FolderLayout
from keras_semisis.data.sources.good_items import good_items
from keras_semisis.data.sources.joined import Joined
from keras_semisis.data.sources.source import View, instance_map_of
from keras_semisis.data.stream.rejection import rejection_draws
from keras_semisis.gans import Sampler
from keras_semisis.metrics.protocols.provenance import data_fingerprint, weights_sha256
from keras_semisis.options.augment import SAMPLERS, THRESHOLD, AugmentOptions
from keras_semisis.options.read import check_fit
from keras_semisis.options.text import parse_class_thresholds, parse_id_map
from keras_semisis.recipes.agreement import agreement, is_kept, mean_agreement, open_judge
from keras_semisis.recipes.augmented_folder import AugmentedFolder, Draw, file_names
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.evaluating import open_segmenter
from keras_semisis.recipes.further_data import unpaired_labels
from keras_semisis.recipes.name_length import check_length
from keras_semisis.recipes.named_sources import folder_like, kind_of
from keras_semisis.recipes.noisy_pixels import cross_entropy, limits, pixels_of, without_noise
from keras_semisis.recipes.notices import warn
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.sources import open_settings, split_of_role
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan
from keras_semisis.whole_file import check_folder

# Of all photos, or those with a class: where fewer are kept, it is said
_FEW = 0.5


def augment(
    gan: Sampler,
    label_maps: Source,
    output: str | Path,
    per_map: int = 1,
    *,
    sampler: str = "rare_classes",
    filter: bool = True,
    threshold: float = THRESHOLD,
    class_threshold: Mapping[str, float] | None = None,
    pixel_tolerance: float | None = None,
    segmenter: Any = None,
    image_size: tuple[int, int] | None = None,
    fit: str = "stretch",
    seed: int = 0,
    batch_size: int = 8,
    skip_bad: int | BadFiles = 0,
    model: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Writes a data set of generated photos and their label maps, ready for training a segmenter.

    In the folder are ``images/`` and ``labels/``, PNG files of the same names, the latter indexed ones of class ids;
    ``classes.csv``; ``manifest.json``, settings and report; and ``photos.jsonl``, a line for every photo that was drawn, kept
    or not: its label map, its seed, and its agreement by class. `data.Folder` reads it, and ``--data folder:DIR`` of the
    commands.

    Whether a photo is kept depends on what the discriminator, as a segmenter, sees in it: the intersection over union with the
    label map, of each class that this shows. Their mean has to be at least ``threshold``. The discriminator has trained the
    generator, and judges it mildly; ``segmenter`` replaces it.

    With ``pixel_tolerance`` single pixels of the photos that are kept are judged too, with or without ``filter``. Where the
    cross-entropy of what is seen with the label map is more than so many times the mean over all pixels of that class, the
    label map in the folder says don't-care, so that a segmenter does not learn what went wrong.

    The same arguments give the same files. A photo depends on the seed and on its own name:
    ``gan.generate(label_map, seed=seed, first=name)`` draws it again, and ``keras-semisis generate MODEL DIR/labels --seed
    SEED`` draws all of them, where no pixel was made don't-care. What was interrupted goes on behind its last whole batch when
    it is called again, on the same files: label maps that were written or copied since are others.

    Args:
        gan: The model.
        label_maps: Its label maps are drawn; photos are not read.
        output: The folder.
        per_map: Photos for each label map, those that are dropped included; with rare classes on average.
        sampler: ``"rare_classes"``: label map i is drawn with the probability p_i of `data.rare_class_probabilities`; or
            ``"uniform"``: each ``per_map`` times.
        filter: Whether photos are dropped.
        threshold: The least agreement, in [0, 1].
        class_threshold: Of single classes by name, in the photos that show them.
        pixel_tolerance: From which multiple of its class's mean cross-entropy on a pixel is don't-care, such as 1.25. None
            leaves label maps as they are.
        segmenter: What judges in place of the discriminator, as `metrics.GeneratedMeanIoU` takes it.
        image_size: (height, width) of the photos; None is the model's.
        fit: What is done with label maps of other proportions: ``"stretch"`` or ``"crop"``.
        seed: Of the noise, and of which label maps are drawn.
        batch_size: How many photos are computed at once.
        skip_bad: Number of label maps that may be bad, as in `data.paired_dataset`.
        model: What the manifest calls the model.
        progress: Shows how far it is.

    Returns:
        What the manifest says: ``settings``, ``versions``, and ``report``, with ``drawn``, ``kept``, ``agreement`` and
        ``agreement_kept`` (means) of all photos and, in ``classes``, of those that show each class; with ``pixel_tolerance``
        also ``pixels``, the share of pixels in kept photos that still have their class.

    Raises:
        ValueError: If arguments cannot be, or there is nothing that judges.
        DataError: If label maps are bad, of other classes or of names that are too long, or no photo agrees well enough.
        FileExistsError: If there is something else in the folder, or a data set of other settings.
        OSError: If it cannot be written.

    Reference: ``pixel_tolerance`` is the filter of noisy regions of Yang et al., "FreeMask: Synthetic Images with Dense
    Annotations Make Stronger Segmentation Models", NeurIPS 2023, arXiv 2310.15160.

    Example:

    >>> import tempfile
    >>> from keras_semisis import data, models
    >>> scenes = data.SyntheticScenes(3, image_size=(32, 32))
    >>> gan = Sampler(models.oasis_generator(11, (32, 32), base_channels=1, noise_channels=4), label_space=scenes.label_space)
    >>> folder = tempfile.mkdtemp()
    >>> augment(gan, scenes, folder, per_map=2, filter=False)["report"]["kept"]
    6
    >>> len(data.Folder(folder))
    6
    """
    class_threshold = dict(class_threshold or {})
    bad = bad_files(skip_bad)
    _check(sampler, threshold, class_threshold, pixel_tolerance, fit, per_map, batch_size, filter)
    gan.require_same_classes(label_maps=label_maps)
    if label_maps.label_space.ignore_class is None:
        label_maps = label_maps.with_ignore_class(gan.ignore_class)
    space = label_maps.label_space
    for name in class_threshold:
        if name not in space.class_names:
            raise ArgumentError(
                f"{{}}: there is no class {name}; there are {', '.join(space.class_names)}.", {"class_threshold": name}
            )
    if pixel_tolerance is not None and space.ignore_class is None:
        raise ArgumentError(
            "{}: there is no don't-care class, which pixels could become. Leave it out.", {"pixel_tolerance": pixel_tolerance}
        )
    judging = filter or pixel_tolerance is not None
    judge = open_judge(gan, segmenter, space, logits=pixel_tolerance is not None) if judging else None
    label_maps = good_items(label_maps, bad, images=False)
    if gan.instance_edges and not label_maps.has_instances:
        raise DataError("The model reads edges between instances, and not all of these label maps have an instance map.")
    plan = _plan(label_maps, per_map, sampler, seed, progress)
    size = image_size or gan.image_size
    if judge is not None and segmenter is not None and pixel_tolerance is not None:
        judge(np.zeros((1, *size, 3), "uint8"))  # that it gives no logits is told before anything is written
    gan.refresh_statistics()  # which are weights, too
    settings = {
        "model": model,
        "generator_sha256": weights_sha256(gan.ema_generator),
        "judge": None if judge is None else "discriminator" if segmenter is None else _named(segmenter),
        "judge_sha256": weights_sha256((gan.segmenting_network if segmenter is None else segmenter) if judging else None),
        "label_maps": len(label_maps),
        "label_maps_digest": data_fingerprint(label_maps, "label maps"),
        "instance_maps_digest": data_fingerprint(label_maps, "instance maps") if gan.instance_edges else None,
        "draws_sha256": _digest([f"{draw.label_map}\t{draw.name}" for draw in plan]),
        "per_map": per_map,
        "sampler": sampler,
        "threshold": threshold if filter else None,
        "class_threshold": class_threshold,
        "pixel_tolerance": pixel_tolerance,
        "image_size": list(size),
        "fit": fit,
        "seed": seed,
        "batch_size": batch_size,
    }
    folder = AugmentedFolder(Path(output), space, settings)
    if len(folder.entries) < len(plan):
        # a batch that is drawn again is the one that it was
        folder.keep_first(len(folder.entries) // batch_size * batch_size)
        with progress.counting("Photos") as show:
            _draw(gan, judge, label_maps, plan, folder, settings, show)
    if pixel_tolerance is not None:
        with progress.counting("Pixels") as show:
            _unlabel_noise(gan, judge, label_maps, plan, folder, settings, show)
    document = folder.finish()
    _tell(document["report"], threshold)
    return document


def augment_files(options: AugmentOptions, bad: BadFiles, progress: Progress = SILENT) -> dict[str, Any]:
    """`augment` of what options name.

    Args:
        options: The model, the data, and what is drawn and kept.
        bad: Takes label maps that are bad.
        progress: Shows how far it is.

    Returns:
        As `augment`.

    Raises:
        ValueError, DataError, OSError: As `augment` and `open_data` raise them, or if there is no such model.
    """
    thresholds = parse_class_thresholds(options.class_threshold)
    tolerance = options.pixel_tolerance
    _check(
        options.sampler,
        options.threshold,
        thresholds,
        tolerance,
        options.fit,
        options.per_map,
        options.batch_size,
        options.filter,
    )
    if options.segmenter is not None and not options.filter and tolerance is None:
        raise ArgumentError("{} has no use with --no-filter and no --pixel-tolerance.", {"segmenter": options.segmenter})
    check_folder(options.output)
    segmenter = None if options.segmenter is None else open_segmenter(options.segmenter)
    use_devices(options.devices)
    gan = load_gan(options.model)
    label_space_of_model(gan, options.model)
    return augment(
        gan,
        _label_maps(options, gan, bad),
        options.output,
        options.per_map,
        sampler=options.sampler,
        filter=options.filter,
        threshold=options.threshold,
        class_threshold=thresholds,
        pixel_tolerance=options.pixel_tolerance,
        segmenter=segmenter,
        image_size=options.image_size,
        fit=fit_of_model(options.fit, options.model),
        seed=options.seed,
        batch_size=options.batch_size,
        skip_bad=bad,
        model=str(options.model),
        progress=progress,
    )


def _check(sampler, threshold, class_threshold, pixel_tolerance, fit, per_map, batch_size, filter):
    check_fit(fit)
    require_choice("sampler", sampler, SAMPLERS)
    for name, value in (("per_map", per_map), ("batch_size", batch_size)):
        if value < 1:
            raise ArgumentError("{} must be at least 1.", {name: value})
    for name, value in (("threshold", threshold), *(("class_threshold", value) for value in class_threshold.values())):
        if not 0 <= value <= 1:
            raise ArgumentError("{} is not between 0 and 1, as an intersection over union is.", {name: value})
    if pixel_tolerance is not None and not 0 < pixel_tolerance < float("inf"):
        raise ArgumentError("{} is no multiple of a mean; 1.25 is a good one.", {"pixel_tolerance": pixel_tolerance})
    if class_threshold and not filter:
        raise ArgumentError("{} has no use where all photos are kept.", {"class_threshold": next(iter(class_threshold))})


def _label_maps(options, gan, bad) -> Source:
    """The label maps of the training split, those without a photo included, and further ones."""
    source = _opened(options, gan, bad)
    gan.require_same_classes(**{f"--data {options.data}": source})
    further = [source.unpaired_labels] if source.unpaired_labels is not None else []
    if options.unpaired_labels:
        further.append(unpaired_labels(options, source.label_space))
    for part in further:
        source = Joined(source, part)
    return source


def _opened(options, gan, bad):
    path = Path(options.data.partition(":")[2])
    if options.data.startswith("folder:") and kind_of(options.data) == "folder":
        layout, with_photos = FolderLayout(path, None), FolderLayout(path)
        folders = [with_photos.whole(), *with_photos.splits.values()]
        images_are_there = any(part.images is not None and part.images.is_dir() for part in folders)
        if not images_are_there and (layout.splits or (folders[0].labels is not None and folders[0].labels.is_dir())):
            return folder_like(
                path,
                gan.label_space,
                "the model",
                split=split_of_role(layout, "train", options.train_split, "--train-split"),
                images=None,
                ignore_class=options.ignore_class,
                id_map=parse_id_map(options.id_map),
                **{name: value for name, value in options.of_folder.items() if not name.startswith("image")},
            )
    return open_settings(options, bad, options.image_size or gan.image_size, gan.label_space).train


def _plan(source, per_map, sampler, seed, progress) -> list[Draw]:
    """Which label map each photo is drawn of, and what it is called."""
    number = len(source)
    if not number:
        raise DataError("There are no label maps to draw.")
    draws = np.arange(per_map * number)
    if sampler == "uniform":
        indices = draws % number
    else:
        with progress.counting("Counting classes") as show:
            statistics = class_statistics(source, progress=show)
        indices = rejection_draws(rare_class_probabilities(statistics, source.label_space.ignore_class), seed, draws)
    names = [_own_name(source, i) for i in range(number)]
    files = file_names(names, [source.name(i) for i in range(number)])
    plan, times = [], Counter[int]()
    for index in indices.tolist():
        plan.append(Draw(index, names[index], f"{files[index]}-{times[index]}"))
        check_length(names[index], f"{plan[-1].name}.png")
        times[index] += 1
    return plan


def _own_name(source, index):
    """The name of an item where it comes from, without what views put before it."""
    while isinstance(source, View):
        source, index = source.at(index)
    return source.name(int(index))


def _draw(gan, judge, source, plan, folder, settings, show):
    """Draws the rest of the plan, batch by batch."""
    space, batch_size = source.label_space, settings["batch_size"]
    done = len(folder.entries)
    if done:
        show(done, len(plan))

    loaded = in_order(lambda i: _fitted(gan, source, plan[i], settings), done, len(plan))
    for first in range(done, len(plan), batch_size):
        part = plan[first : first + batch_size]
        label_maps, *instances = (np.stack(maps) for maps in zip(*(next(loaded) for _ in part), strict=True))
        how = {"instances": instances[0]} if instances else {}
        photos = gan.generate(label_maps, settings["seed"], batch_size, [draw.name for draw in part], **how)
        seen: Any = None if judge is None else judge(photos)
        pixels = None
        if settings["pixel_tolerance"] is not None:
            costs = cross_entropy(label_maps, seen, space.ignore_class)
            pixels = [pixels_of(*of_photo, space.class_names) for of_photo in zip(label_maps, costs, strict=True)]
            seen = seen.argmax(-1)
        found = _found(seen, label_maps, space)
        means = [None if judge is None or not each else mean_agreement(each) for each in found]
        kept = [
            settings["threshold"] is None or is_kept(each, settings["threshold"], settings["class_threshold"]) for each in found
        ]
        folder.add(part, label_maps, photos, found, means, kept, pixels)
        show(first + len(part), len(plan))


def _unlabel_noise(gan, judge, source, plan, folder, settings, show):
    """Makes noisy pixels of the photos that are kept don't-care, once these are all there."""
    space, batch_size = source.label_space, settings["batch_size"]
    kept = [i for i, entry in enumerate(folder.entries) if entry["kept"]]
    if all("kept" in pixels for i in kept for pixels in folder.entries[i]["pixels"].values()):
        return
    found = limits((folder.entries[i]["pixels"] for i in kept), space.class_names, settings["pixel_tolerance"])
    loaded = in_order(lambda i: _fitted(gan, source, plan[kept[i]], settings)[0], 0, len(kept))
    for first in range(0, len(kept), batch_size):
        part = kept[first : first + batch_size]
        label_maps = np.stack([next(loaded) for _ in part])
        photos = np.stack([folder.photo(plan[i].name) for i in part])
        costs = cross_entropy(label_maps, judge(photos), space.ignore_class)
        for i, label_map in zip(part, without_noise(label_maps, costs, found, space.ignore_class), strict=True):
            folder.write_label_map(plan[i].name, label_map)
            counts = np.bincount(label_map.ravel(), minlength=space.num_classes).tolist()
            for name, pixels in folder.entries[i]["pixels"].items():
                pixels["kept"] = counts[space.class_names.index(name)]
        show(first + len(part), len(kept))
    folder.write_entries()


def _fitted(gan, source, draw, settings) -> list[np.ndarray]:
    """A label map, and the instance map if the model reads one, at the photos' size."""
    maps = [source.load_label_map(draw.item)]
    if gan.instance_edges:
        maps.append(instance_map_of(source, draw.item, maps[0]))
    return [fitted(part, tuple(settings["image_size"]), settings["fit"]) for part in maps]


def _found(seen, label_maps, space) -> list[dict[str, Any]]:
    """Of each photo, agreement by the name of each class that its label map shows; None where nothing judges."""
    both = zip(label_maps, label_maps if seen is None else seen, strict=True)
    values = [agreement(*each, space.num_classes, space.ignore_class) for each in both]
    return [
        {
            space.class_names[number]: None if seen is None else float(row[number])
            for number in np.flatnonzero(~np.isnan(row)).tolist()
        }
        for row in values
    ]


def _tell(report, threshold):
    """What the user should know of what was dropped."""
    if not report["kept"]:
        best = "" if report["agreement"] is None else f"; their mean agreement is {report['agreement']:.2f}"
        raise ArgumentError(
            f"{{}}: none of {report['drawn']} photos agrees as well as that with its label map{best}. Lower it, train the "
            "model longer, or give --no-filter (in Python filter=False).",
            {"threshold": threshold},
        )
    if report["kept"] < _FEW * report["drawn"]:
        warn(
            f"{report['kept']} of {report['drawn']} photos were kept; the mean agreement of all is {report['agreement']:.2f}, "
            f"the threshold {threshold:g}."
        )
        return
    few = [
        f"{name} ({found['kept']} of {found['drawn']})"
        for name, found in report["classes"].items()
        if found["kept"] < _FEW * found["drawn"]
    ]
    if few:
        warn(f"Less than half of the photos were kept of those that show: {', '.join(few)}.")


def _named(segmenter) -> str:
    return next((text for key in ("name", "__name__") if (text := getattr(segmenter, key, None))), type(segmenter).__name__)


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()
