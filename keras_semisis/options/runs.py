"""What `runs` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.option import option


@dataclass(kw_only=True)
class RunsOptions:
    """Every option of `runs`."""

    folders: tuple[Path, ...] = option((Path("runs"),), "Run folders, or folders of them.", argument=True)
    sort: str | None = option(None, "A score, such as frechet or miou, whose best run stands first; else the newest does.")
    json: bool = option(False, "Print JSON in place of a table.")
