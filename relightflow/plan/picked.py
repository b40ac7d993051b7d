"""Finds the outputs of a recipe that a picks file names, and says which it does not have.

An image is found by its sha256, or by its name where no sha256 is given. A cell is found as the
recipe spells it; else as what would be sent for it (so a recipe may have named a default since);
else as the only cell with these values (so an axis of one value may be left out).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.image import Image
from relightflow.model.picks import Pick, Picks
from relightflow.model.recipe import BACKEND, Recipe
from relightflow.model.values import FrozenMap, Parameters
from relightflow.plan.spelling import spell_all, text

_SHOWN = 20
"""Problems that are told; the others are counted."""

Place = tuple[int, int, int]
"""Positions of an image and a cell, and a repeat."""


class _Misfit(Exception):
    """What a pick names is not there; the message says what, and what is nearest."""


def find_picks(
    picks: Picks, images: Sequence[Image], cells: Sequence[Parameters], recipe: Recipe
) -> list[Place]:
    """Where the chosen picks stand among images × cells × repeats of `recipe`, in plan order, each once.

    Raises InvalidRecipe with the first of those that stand nowhere.
    """
    index = _Index(images, cells, recipe, picks.texts)
    places: set[Place] = set()
    problems: list[Problem] = []
    more = 0
    for pick in picks.chosen:
        try:
            places.update(index.places(pick))
        except _Misfit as misfit:
            if len(problems) < _SHOWN:
                problems.append(Problem(picks.file, 0, 0, pick.where, str(misfit)))
            else:
                more += 1
    if problems:
        if more:
            problems.append(Problem(picks.file, 0, 0, "", f"and {more:,} more that do not fit"))
        raise InvalidRecipe(problems)
    return sorted(places)


@dataclass(slots=True)
class _Index:
    images: Sequence[Image]
    cells: Sequence[Parameters]
    recipe: Recipe
    texts: bool
    _by_sha256: dict[str, list[int]] = field(default_factory=dict)
    _by_name: dict[str, list[int]] = field(default_factory=dict)
    _exact: dict[str, list[int]] = field(default_factory=dict)
    _sent: dict[str, list[int]] | None = None

    def __post_init__(self) -> None:
        for position, image in enumerate(self.images):
            self._by_sha256.setdefault(image.sha256, []).append(position)
            self._by_name.setdefault(image.name, []).append(position)
        for position, cell in enumerate(self.cells):
            self._exact.setdefault(self._spelled(cell), []).append(position)

    def places(self, pick: Pick) -> Iterator[Place]:
        """Raises Misfit."""
        images, cells = self._images(pick), self._cells(pick)
        repeat = self.recipe.repeat
        if pick.repeat >= repeat:
            there = "repeat 0 only" if repeat == 1 else f"repeats 0 to {repeat - 1}"
            raise _Misfit(f"repeat {pick.repeat} is not there; the recipe has {there}")
        return ((image, cell, pick.repeat) for image in images for cell in cells)

    def _images(self, pick: Pick) -> Sequence[int]:
        named = self._by_name.get(pick.image_name, [])
        if not pick.image_sha256:
            if named:
                return named
            raise _Misfit(f"no image {_quoted(pick.image_name)}{self._near(pick)}")
        same = self._by_sha256.get(pick.image_sha256, [])
        if same:
            return [position for position in same if position in named] or same[:1]
        if named:
            raise _Misfit(
                f"{_quoted(pick.image_name)} has other bytes than when it was picked (sha256 "
                f"{pick.image_sha256[:16]}…, now {self.images[named[0]].sha256[:16]}…): pick "
                "again, or remove image_sha256 to go by the name alone"
            )
        shown = _quoted(pick.image_name or pick.image_sha256[:16])
        raise _Misfit(f"no image {shown}{self._near(pick)}")

    def _near(self, pick: Pick) -> str:
        near = difflib.get_close_matches(pick.image_name, self._by_name, n=1)
        return f" (did you mean {_quoted(near[0])}?)" if near else ""

    def _cells(self, pick: Pick) -> Sequence[int]:
        wanted_cell = self._own(pick.cell)
        found = self._exact.get(self._spelled(wanted_cell))
        if found is not None:
            return found
        wanted = {*_as_text(wanted_cell).items()}
        fitting = [n for n, cell in enumerate(self.cells) if wanted <= {*_as_text(cell).items()}]
        sent = [] if self.texts else self._sent_as(wanted_cell)
        fitting = [position for position in fitting if position in sent] or fitting
        if len(fitting) == 1:
            return fitting
        if fitting:
            words = f"{len(fitting):,} cells have {_told(wanted_cell)}"
            raise _Misfit(
                f"{words}; name the other parameters too, as in {_told(self.cells[fitting[0]])}"
            )
        near = max(self.cells, key=lambda cell: _likeness(cell, wanted_cell), default=FrozenMap())
        raise _Misfit(f"no cell {_told(wanted_cell)}; the nearest is {_told(near)}")

    def _own(self, cell: Parameters) -> Parameters:
        """`cell` without the backend that it was picked of, where this recipe has only one: what was
        picked in a comparison can be made with any."""
        if self.recipe.more_backends or BACKEND not in cell or self._has_backend():
            return cell
        return FrozenMap({name: value for name, value in cell.items() if name != BACKEND})

    def _has_backend(self) -> bool:
        """Whether the only model has an axis of that name."""
        return self.recipe.backend.model.axis(BACKEND) is not None

    def _sent_as(self, cell: Parameters) -> Sequence[int]:
        """Positions of the cells for which the same is sent as for `cell`."""
        several = self.recipe.more_backends
        if several and cell.get(BACKEND) not in [spec.name for spec in self.recipe.backends]:
            return ()
        if self._sent is None:
            self._sent = {}
            for position, mine in enumerate(self.cells):
                self._sent.setdefault(self._spelled_as_sent(mine), []).append(position)
        return self._sent.get(self._spelled_as_sent(cell), ())

    def _spelled_as_sent(self, cell: Parameters) -> str:
        return f"{self.recipe.number_of(cell)} {spell_all(self.recipe.sent(cell))}"

    def _spelled(self, cell: Parameters) -> str:
        return spell_all(_as_text(cell) if self.texts else cell)


def _as_text(cell: Parameters) -> Mapping[str, str]:
    return {name: text(value) for name, value in cell.items()}


def _likeness(cell: Parameters, wanted: Parameters) -> int:
    said = _as_text(wanted)
    return sum(said.get(name) == text(value) for name, value in cell.items())


def _told(cell: Parameters) -> str:
    return ", ".join(f"{name}={text(value)}" for name, value in cell.items()) or "{}"


def _quoted(name: str) -> str:
    return f"'{name}'"


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The part of a plan that picks leave."""

    images: tuple[Image, ...]
    cells: tuple[Parameters, ...]
    picked: tuple[tuple[int, ...], ...]
    """For each image the places of its outputs: position of the cell × repeat + repeat index."""


def choose(
    places: Iterable[Place], images: Sequence[Image], cells: Sequence[Parameters], repeat: int
) -> _Chosen:
    """Only the images and cells that some place names, in their order."""
    listed = sorted(places)
    kept_images = sorted({image for image, _, _ in listed})
    kept_cells = sorted({cell for _, cell, _ in listed})
    moved = {old: new for new, old in enumerate(kept_cells)}
    by_image: dict[int, list[int]] = {image: [] for image in kept_images}
    for image, cell, again in listed:
        by_image[image].append(moved[cell] * repeat + again)
    return _Chosen(
        images=tuple(images[position] for position in kept_images),
        cells=tuple(cells[position] for position in kept_cells),
        picked=tuple(tuple(by_image[position]) for position in kept_images),
    )
