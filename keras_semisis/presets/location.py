"""Where a preset lies: by name in this package, as a folder, or on the Hugging Face Hub."""

from pathlib import Path

CONFIG, WEIGHTS, METADATA, CARD = "config.json", "model.weights.h5", "metadata.json", "README.md"
GRID = "grid.png"
EXAMPLE = "label_map-{}.png"
HUB = "hf://"
_BUILT_IN = Path(__file__).parent / "built_in"


def built_in_presets() -> dict[str, Path]:
    """The presets of this package, by name.

    Example:

    >>> all((folder / "config.json").is_file() for folder in built_in_presets().values())
    True
    """
    return {folder.name: folder for folder in sorted(_BUILT_IN.glob("*/")) if (folder / CONFIG).is_file()}


def built_in_names() -> str:
    """Their names, for messages."""
    return ", ".join(built_in_presets()) or "none in this version"


def is_preset(name: str | Path) -> bool:
    """Whether a user's word for a model means a preset, and not a file."""
    return str(name).startswith(HUB) or str(name) in built_in_presets() or (Path(name) / CONFIG).is_file()


def example_files(folder: Path) -> list[Path]:
    """The label maps that lie in a preset's folder, to begin with."""
    return sorted(folder.glob(EXAMPLE.format("*")))


def examples_of(model: str | Path) -> list[Path]:
    """The label maps that lie beside a model that is a preset; none of a file."""
    return example_files(locate(model)) if is_preset(model) else []


def locate(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a preset, downloaded if it is on the Hub and not in the cache.

    Args:
        name: One of `built_in_presets`, a folder, or ``"hf://user/model"``.
        revision: Branch, tag or commit on the Hub; None is its main branch.

    Raises:
        ValueError: If there is no such preset, or two, or ``revision`` is given for one that has none.
        ModuleNotFoundError: If it is on the Hub, and the package huggingface_hub is not installed.
    """
    name = str(name)
    if name.startswith(HUB):
        return _check(_download(name.removeprefix(HUB), revision), name)
    if revision is not None:
        raise ValueError(f"revision={revision!r} is of presets on the Hub, {HUB}user/model; {name} is none.")
    built_in = built_in_presets().get(name)
    if built_in is not None and (Path(name) / CONFIG).is_file():
        raise ValueError(
            f"{name}: this preset is built in, and there is a folder of that name here. Give ./{name} for the folder, or "
            "rename it."
        )
    return built_in or _check(Path(name), name)


def _download(repository, revision):
    try:
        # each by itself, as the package loads its modules no sooner
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{HUB}{repository} needs huggingface_hub: pip install 'keras-semisis[hub]'.") from error
    try:
        # the files of a preset alone: nothing that could be run
        files = [CONFIG, WEIGHTS, METADATA, CARD, "*.png"]
        # said, as some versions ask the Hub in offline mode for the files of a commit that is in the cache
        offline = huggingface_hub.constants.HF_HUB_OFFLINE
        return Path(
            huggingface_hub.snapshot_download(repository, revision=revision, allow_patterns=files, local_files_only=offline)
        )
    except (huggingface_hub.errors.HfHubHTTPError, huggingface_hub.errors.HFValidationError, OSError) as error:
        at = f" at revision {revision}" if revision else ""
        raise ValueError(f"{HUB}{repository}{at} cannot be read from the Hub: {' '.join(str(error).split())[:300]}") from error


def _check(folder, name):
    missing = [file for file in (CONFIG, WEIGHTS, METADATA) if not (folder / file).is_file()]
    if missing:
        raise ValueError(
            f"{name}: this is no preset, it lacks {', '.join(missing)}. Give a folder that save_to_preset made, "
            f"{HUB}user/model, or one that is built in ({built_in_names()})."
        )
    return folder
