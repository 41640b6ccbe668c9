"""What a run that goes on may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.option import DATA, RUN, option


@dataclass(kw_only=True)
class ResumeOptions:
    """What `train` is told that no run keeps."""

    resume: Path | None = option(
        None,
        "Go on with this run folder, by its own settings. Of the others give --skip-bad, --id-map, --devices, --check and "
        "what names other processes alone.",
        RUN,
        of_resume=True,
    )
    check: bool = option(False, "Read every file once before, as the command check does.", DATA, of_resume=True)
