"""Keeps the part of a plan that the command line asks for: `--only axis=value`, `--only image=*.jpg`."""

from __future__ import annotations

import difflib
from array import array
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from relightflow.errors import UsageError
from relightflow.model.image import Image
from relightflow.model.plan import Selection
from relightflow.model.recipe import Matrix
from relightflow.model.values import Parameters, Scalar
from relightflow.plan.spelling import text

IMAGE = "image"
"""The word that stands for image names in `--only`, unless an axis is called so."""


def check_only(selection: Selection, matrix: Matrix) -> None:
    """Raises UsageError where `--only` names an axis or a value that the recipe does not have."""
    known = _known(matrix)
    for name, wanted in selection.only:
        if name in known:
            for value in wanted:
                if value not in known[name]:
                    raise UsageError(_unknown(f"{name}={value}", value, known[name], "values"))
        elif name != IMAGE:
            raise UsageError(_unknown(name, name, [*known, IMAGE], "axes"))


def only_images(selection: Selection, matrix: Matrix, images: Iterable[Image]) -> tuple[Image, ...]:
    """The images whose name fits a pattern of every `--only image=…`; `*` also crosses folders."""
    patterns = [wanted for name, wanted in selection.only if name == IMAGE]
    if not patterns or IMAGE in _known(matrix):
        return tuple(images)
    return tuple(
        image
        for image in images
        if all(any(fnmatchcase(image.name, p) for p in wanted) for wanted in patterns)
    )


def only_positions(
    selection: Selection, matrix: Matrix, cells: Sequence[Parameters]
) -> Sequence[int]:
    """Positions of the cells that have one of the wanted values for every axis that `--only` names."""
    known = _known(matrix)
    tests = [(name, frozenset(wanted)) for name, wanted in selection.only if name in known]
    if not tests:
        return range(len(cells))
    return array(
        "Q",
        (
            position
            for position, cell in enumerate(cells)
            if all(name in cell and _texts(cell[name]) & wanted for name, wanted in tests)
        ),
    )


def _known(matrix: Matrix) -> dict[str, list[str]]:
    """Axis → the texts of its values, those of includes too."""
    known: dict[str, list[str]] = {}
    for axis in matrix.axes:
        known[axis.name] = [spelling for value in axis.values for spelling in _texts(value)]
    for entry in matrix.include:
        for name, value in entry.items():
            known.setdefault(name, []).extend(_texts(value))
    return known


def _texts(value: Scalar) -> frozenset[str]:
    """Both ways to write a whole number that the recipe has as 1.0."""
    return frozenset({text(value), str(value)}) if isinstance(value, float) else _one(text(value))


def _one(word: str) -> frozenset[str]:
    return frozenset({word})


def _unknown(asked: str, word: str, known: Sequence[str], what: str) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    listed = ", ".join(dict.fromkeys(known[:20])) + (", …" if len(known) > 20 else "")
    return f"--only {asked}: the recipe has no such {what[:-1] if what == 'values' else 'axis'}; {what}: {listed}{hint}"
