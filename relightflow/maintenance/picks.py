"""What `relightflow pick` does: puts picks into a recipe, or delivers the images of picks.

Neither uses the network.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from relightflow.core.filenames import safe_part
from relightflow.core.project import Project
from relightflow.errors import InvalidRecipe, RefusedError, UsageError
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt
from relightflow.model.picks import Pick, Picks
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.model.values import Parameters
from relightflow.plan.build import expand
from relightflow.plan.picked import find_picks
from relightflow.plan.spelling import spell_all, text
from relightflow.plugins.registry import Registry
from relightflow.plugins.sink import FileState
from relightflow.recipe import load_text
from relightflow.recipe.editing import with_include, with_picks, without_picks
from relightflow.sinks.folder import Folder
from relightflow.store import blobs
from relightflow.store.state_dir import StateDir

EXTENSIONS = {b"\x89PNG": "png", b"RIFF": "webp"}


@dataclass(frozen=True, slots=True)
class Edit:
    """A recipe's text before and after."""

    before: str
    after: str
    how: str
    """In words: what was written, and why."""


def into_recipe(picks: Picks, plan: Plan, old: str, path: str, registry: Registry) -> Edit:
    """The recipe `old` with the picks in it. `plan`: of the whole recipe, without picks. `path`: the
    picks file relative to the recipe.

    Raises InvalidRecipe where a pick names what the recipe does not have, UsageError where the text
    cannot be changed.
    """
    recipe = plan.recipe
    places = find_picks(picks, plan.images, plan.cells, recipe)
    if not places:
        raise UsageError(f"{picks.file}: nothing is picked")
    cells, why = _same_for_all(plan, places)
    if cells is not None:
        new = with_include(without_picks(old), cells)
        if _makes(new, recipe, registry, cells):
            many = f"{len(cells)} cells" if len(cells) > 1 else "one cell"
            return Edit(old, new, f"all images have the same picks: {many}, as matrix.include")
        why = "the recipe's `sample` would not keep these cells"
    return Edit(old, with_picks(old, path), f"{why}: `picks: {path}`")


def _same_for_all(
    plan: Plan, places: Sequence[tuple[int, int, int]]
) -> tuple[list[Parameters] | None, str]:
    """The cells, where every image has the same and every repeat of them; else why not."""
    by_image: dict[int, set[tuple[int, int]]] = {n: set() for n in range(len(plan.images))}
    for image, cell, again in places:
        by_image[image].add((cell, again))
    if len({frozenset(chosen) for chosen in by_image.values()}) > 1:
        return None, "the images have different picks"
    chosen = next(iter(by_image.values()))
    cells = sorted({cell for cell, _ in chosen})
    if len(chosen) < len(cells) * plan.repeat:
        return None, "not every repeat is picked"
    return [plan.cells[cell] for cell in cells], ""


def _makes(text_: str, recipe: Recipe, registry: Registry, cells: Sequence[Parameters]) -> bool:
    """Whether the recipe in `text_` makes exactly `cells`."""
    try:
        made = expand(load_text(text_, registry, recipe.path)).cells
    except InvalidRecipe:
        return False
    return sorted(map(spell_all, made)) == sorted(map(spell_all, cells))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the picks at the folder."""

    written: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    """Kept, because something else is there."""
    missing: tuple[str, ...] = ()
    """Picks without a finished image, in words."""


def deliver(
    picks: Picks,
    state_dir: StateDir,
    registry: Registry,
    folder: Path,
    backend: str = "",
    overwrite: bool = False,
) -> Delivery:
    """Put the finished image of every pick into `folder`. Blocks; no network.

    Of several backends' results `backend`'s is taken; with none named, the one that cost most, and
    of those the newest. Raises StorageError, DamagedError, RefusedError.
    """
    if picks.texts:
        raise UsageError(
            f"{picks.file}: a CSV file holds the texts of values only; deliver from picks.json"
        )
    with open_reader(state_dir.ledger) as reader:
        stored = [a for a in reader.stored_attempts() if backend in ("", a.backend)]
    index = _ManifestIndex(stored, registry)
    target = Folder(folder.absolute(), ".")
    found = Delivery()
    taken: set[str] = set()
    for pick in picks.chosen:
        attempt = index.find(pick)
        if attempt is None:
            found = replace(found, missing=(*found.missing, _told(pick)))
            continue
        data = blobs.read(state_dir.blobs, attempt.blob)
        path = _name(pick, attempt, data, taken)
        found = _deliver(target, path, data, overwrite, found)
    return found


def _deliver(target: Folder, path: str, data: bytes, overwrite: bool, found: Delivery) -> Delivery:
    sha256 = hashlib.sha256(data).hexdigest()
    state = target.check(path, None, sha256)
    if state is FileState.SAME:
        return replace(found, same=(*found.same, path))
    if state is FileState.EDITED and not overwrite:
        return replace(found, edited=(*found.edited, path))
    target.write(path, data, sha256)
    return replace(found, written=(*found.written, path))


class _ManifestIndex:
    """Finished results by what a pick says of them."""

    def __init__(self, stored: Sequence[Attempt], registry: Registry) -> None:
        self._registry = registry
        self._found: dict[tuple[str, int, str, str, str], Attempt] = {}
        self._models: dict[tuple[str, str], None] = {}
        for attempt in sorted(stored, key=lambda a: (a.cost or 0, a.id)):
            self._models[attempt.backend, attempt.model] = None
            self._found[_key(attempt)] = attempt

    def find(self, pick: Pick) -> Attempt | None:
        fitting = list(self._fitting(pick))
        return max(fitting, key=lambda a: (a.cost or 0, a.id), default=None)

    def _fitting(self, pick: Pick) -> Iterator[Attempt]:
        for backend, name in self._models:
            loaded = self._registry.backends.get(backend)
            model = loaded.record.model(name) if loaded else None
            if model is None:
                continue
            sent = spell_all(model.normalise(pick.cell))
            found = self._found.get((pick.image_sha256, pick.repeat, backend, name, sent))
            if found:
                yield found


def _key(attempt: Attempt) -> tuple[str, int, str, str, str]:
    sent = spell_all(attempt.parameters)
    return attempt.image_sha256, attempt.repeat, attempt.backend, attempt.model, sent


def _told(pick: Pick) -> str:
    cell = ", ".join(f"{name}={text(value)}" for name, value in pick.cell.items())
    again = f", repeat {pick.repeat}" if pick.repeat else ""
    return f"{pick.image_name or pick.image_sha256[:16]}: {cell}{again}"


def _name(pick: Pick, attempt: Attempt, data: bytes, taken: set[str]) -> str:
    """`bust-left-warm.jpg`; where two would be the same, with the job's id."""
    stem = PurePosixPath(pick.image_name).stem or pick.image_sha256[:16]
    words = [stem, *(text(value) for value in pick.cell.values())]
    if pick.repeat:
        words.append(str(pick.repeat + 1))
    extension = EXTENSIONS.get(data[:4], "jpg")
    name = safe_part("-".join(words)[:120])
    if f"{name}.{extension}".casefold() in taken:
        name = f"{name}-{attempt.job_key[:16]}"
    taken.add(f"{name}.{extension}".casefold())
    return f"{name}.{extension}"


def relative(picks: Path, recipe: Path) -> str:
    """The picks file as the recipe names it. Raises RefusedError where it lies outside its project."""
    project = Project.of(recipe.parent)
    inside = Path(
        os.path.relpath(os.path.realpath(picks.parent), project.folder), picks.name
    ).as_posix()
    try:
        project.parts(inside)
    except ValueError as problem:
        raise RefusedError(f"{picks} {problem}") from None
    return inside
