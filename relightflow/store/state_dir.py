"""The folder `.relightflow/`: where a project's state lives and how it is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import StorageError

NAME = ".relightflow"
_FILES = {
    ".gitignore": "*\n",
    # bford.info/cachedir: backup tools leave such a folder alone, if they are told to
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Made by relightflow.\n",
}


@dataclass(frozen=True, slots=True)
class StateDir:
    root: Path
    """Absolute."""

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite3"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def cache(self) -> Path:
        """What may be forgotten: downloads, listings, what files looked like."""
        return self.root / "cache"

    def create(self) -> None:
        """Make the folder, private to its owner. Raises StorageError where that fails."""
        try:
            for folder in (self.root, self.blobs, self.runs, self.cache):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, text in _FILES.items():
                if not (self.root / name).exists():
                    (self.root / name).write_text(text, encoding="ascii")
        except OSError as error:
            raise StorageError(
                f"the state folder {self.root} cannot be made ({error.strerror}); nothing was "
                "sent. Make room or choose another place with --state"
            ) from error


def locate(recipe: Path, option: Path | None, environ: Mapping[str, str]) -> StateDir:
    """Where the state of `recipe` lives; nothing is created.

    `option` (`--state`) first, then RELIGHTFLOW_STATE, then the nearest ancestor that has a
    `.relightflow`, then the git root, then the recipe's own folder.
    """
    chosen = option or (Path(named) if (named := environ.get("RELIGHTFLOW_STATE")) else None)
    if chosen:
        return StateDir(chosen.absolute())
    folder = recipe.absolute().parent
    ancestors = (folder, *folder.parents)
    for mark in (NAME, ".git"):
        found = next((place for place in ancestors if (place / mark).exists()), None)
        if found:
            return StateDir(found / NAME)
    return StateDir(folder / NAME)
