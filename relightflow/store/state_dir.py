"""The folder `.relightflow/`: where a project's state lives and how it is laid out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from relightflow.errors import StorageError, UsageError
from relightflow.store.rehearsal import rehearsing
from relightflow.store.trust import check_models, check_state
from relightflow.store.worktrees import main_worktree

NAME = ".relightflow"
VARIABLE = "RELIGHTFLOW_STATE"
_FILES = {
    ".gitignore": "*\n",
    # bford.info/cachedir: backup tools leave such a folder alone, if they are told to
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Made by relightflow.\n",
}


@dataclass(frozen=True, slots=True)
class StateDir:
    root: Path
    """Absolute."""
    rehearsal: bool = False
    """It holds what was rehearsed and never bought, apart from all other states."""
    named: bool = field(default=False, compare=False)
    """The operator named it, and so knows where it is kept."""

    @property
    def ledger(self) -> Path:
        """The SQLite file."""
        return self.root / "ledger.sqlite3"

    @property
    def blobs(self) -> Path:
        """Result bytes by sha256, and their index."""
        return self.root / "blobs"

    @property
    def runs(self) -> Path:
        """A folder for each run: manifest, summary, events."""
        return self.root / "runs"

    @property
    def calls(self) -> Path:
        """Bodies of calls under way that can be sent again under their name."""
        return self.root / "calls"

    @property
    def models(self) -> Path:
        """Models that are declared for the project; of a rehearsal those of the project itself."""
        return (self.root.parent if self.rehearsal else self.root) / "models"

    @property
    def lock(self) -> Path:
        """Locked by the one process that writes."""
        return self.root / "lock"

    @property
    def cache(self) -> Path:
        """What may be forgotten: downloads, listings, what files looked like."""
        return self.root / "cache"

    def create(self) -> None:
        """Make the folder, private to its owner. Raises StorageError where that fails, RefusedError
        where it may not be used (`trust`)."""
        check_state(self.root, named=True)
        try:
            if self.rehearsal:  # a part of the project's state, though that may not be there yet
                self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _put_new(self.root.parent / ".gitignore", _FILES[".gitignore"].encode("ascii"))
            for folder in (self.root, self.blobs, self.runs, self.cache):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, text in _FILES.items():
                _put_new(self.root / name, text.encode("ascii"))
        except OSError as error:
            raise StorageError(
                f"the state folder {self.root} cannot be created ({error.strerror}); nothing was "
                "sent. Free some space or use another folder with --state"
            ) from error


def _put_new(path: Path, data: bytes) -> None:
    """Raises OSError. What is there stays; a link is never followed."""
    with suppress(FileExistsError):
        file = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(file, data)
        finally:
            os.close(file)


def locate(recipe: Path, option: Path | None, environ: Mapping[str, str]) -> StateDir:
    """Where the state of `recipe` lives; nothing is created.

    `option` (`--state`) first, then RELIGHTFLOW_STATE, then the nearest ancestor that has a
    `.relightflow`, then the git root (of a linked worktree: that of the main one), then the recipe's
    own folder. Of a rehearsal it is the folder `rehearsal` in there. Raises RefusedError where the
    state that is found may not be used (`trust`): another one in its place would buy everything again;
    UsageError where the variable is empty.
    """
    state_dir, named = _located(recipe, option, environ)
    check_state(state_dir.root, named, environ)
    if rehearsing(environ):
        state_dir = StateDir(state_dir.root / "rehearsal", rehearsal=True)
        check_state(state_dir.root, named, environ)
    return replace(state_dir, named=named)


def declared_models(recipe: Path, option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The folder with the models that are declared for the project of `recipe`; None: there is none.
    `option` as for `locate`.

    Raises RefusedError where it, or the state that it is in, may not be trusted; UsageError where the variable is empty.
    """
    state_dir, named = _located(recipe, option, environ)
    if not os.path.lexists(state_dir.models):
        return None
    check_state(state_dir.root, named, environ)
    check_models(state_dir.models, named, environ)
    return state_dir.models


def _located(
    recipe: Path, option: Path | None, environ: Mapping[str, str]
) -> tuple[StateDir, bool]:
    """And whether the operator named it."""
    named = environ.get(VARIABLE)
    if named is not None and not named.strip():
        raise UsageError(f"{VARIABLE} is set and empty; give it a value or unset it")
    chosen = option or (Path(named) if named else None)
    if chosen:
        return StateDir(Path(os.path.realpath(chosen))), True
    folder = recipe.absolute().parent
    ancestors = (folder, *folder.parents)
    for mark in (NAME, ".git"):
        found = next((place for place in ancestors if os.path.lexists(place / mark)), None)
        if found:
            shared = found if mark == NAME else main_worktree(found)
            return StateDir(shared / NAME), False
    return StateDir(folder / NAME), False
