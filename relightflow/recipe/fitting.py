"""The matrix of a recipe as its backends can make it; of several backends with `backend` as first axis.

Each backend is asked what the matrix means for it alone. What all of them make stands in the whole as
the file has it; what one does not make is excluded for it, and what only one makes is included for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relightflow.model.recipe import BACKEND, Axis, Matrix
from relightflow.model.values import FrozenMap, Parameters, Scalar
from relightflow.recipe.findings import Findings
from relightflow.recipe.light import FittedMatrix, fit_light
from relightflow.recipe.matrix import read_matrix
from relightflow.recipe.parts import ChosenBackend
from relightflow.recipe.tree import Branch, find


def read_fitting(findings: Findings, chosen: Sequence[ChosenBackend]) -> FittedMatrix:
    """`matrix` of the recipe. `chosen`: its backends; empty: one of them does not exist."""
    node = find(findings.tree, ("matrix",))
    if len(chosen) < 2:
        several = isinstance(find(findings.tree, ("backend",)), Branch) and not chosen
        model = chosen[0].model if chosen else None
        if several:
            return FittedMatrix()  # what the entries mean is not known
        return fit_light(read_matrix(node, model, findings), model, findings)
    labels = [one.label for one in chosen]
    each = [
        fit_light(read_matrix(node, one.model, findings, one.label, labels), one.model, findings)
        for one in chosen
    ]
    warnings = dict.fromkeys(warning for one in each for warning in one.warnings)
    return FittedMatrix(_whole(labels, each), warnings=tuple(warnings))


def _whole(labels: Sequence[str], each: Sequence[FittedMatrix]) -> Matrix:
    """One matrix whose cells are those of every backend's own."""
    axes = _axes(each)
    include = tuple(_included(labels, each, axes))
    if not axes and include:
        return Matrix(include=include)
    lacking = tuple(
        FrozenMap({BACKEND: label, axis.name: value})
        for label, one in zip(labels, each, strict=True)
        for axis in axes
        for value in axis.values
        if not _has(one, axis.name, value)
    )
    exclude = tuple(_excluded(labels, each))
    return Matrix((Axis(BACKEND, tuple(labels)), *axes), (*exclude, *lacking), include)


def _axes(each: Sequence[FittedMatrix]) -> tuple[Axis, ...]:
    """Every axis with the values that any backend makes."""
    values: dict[str, dict[tuple[type, Scalar], Scalar]] = {}
    for one in each:
        for axis in one.matrix.axes:
            known = values.setdefault(axis.name, {})
            for value in axis.values:
                known.setdefault(_identity(value), value)
    return tuple(Axis(name, tuple(known.values())) for name, known in values.items())


def _has(one: FittedMatrix, name: str, value: Scalar) -> bool:
    axis = next(axis for axis in one.matrix.axes if axis.name == name)
    return _identity(value) in map(_identity, axis.values)


def _identity(value: Scalar) -> tuple[type, Scalar]:
    return (bool, value) if isinstance(value, bool) else (object, value)


def _excluded(labels: Sequence[str], each: Sequence[FittedMatrix]) -> Iterator[Parameters]:
    entries: dict[int, dict[str, Parameters]] = {}
    for label, one in zip(labels, each, strict=True):
        for at, cell in zip(one.exclude_at, one.matrix.exclude, strict=True):
            entries.setdefault(at, {})[label] = cell
    for by_label in (entries[at] for at in sorted(entries)):
        yield from _said(labels, by_label)


def _included(
    labels: Sequence[str], each: Sequence[FittedMatrix], axes: Sequence[Axis]
) -> Iterator[Parameters]:
    """A new cell belongs to a backend; one that names none is made by every backend that can."""
    entries: dict[int, dict[str, Parameters]] = {}
    for label, one in zip(labels, each, strict=True):
        for at, cell in zip(one.include_at, one.matrix.include, strict=True):
            entries.setdefault(at, {})[label] = cell
    values = {axis.name: {*map(_identity, axis.values)} for axis in axes}
    new = {
        at: not axes or any(n in values and _identity(v) not in values[n] for n, v in cell.items())
        for at, by_label in entries.items()
        for cell in by_label.values()
    }
    for label in labels:  # the backend is the outermost axis of new cells too
        for at in sorted(entries):
            if new[at] and label in entries[at]:
                yield _named(label, entries[at][label])
    for at in sorted(entries):
        if not new[at]:
            yield from _said(labels, entries[at])


def _said(labels: Sequence[str], by_label: dict[str, Parameters]) -> Iterator[Parameters]:
    """An entry as the file has it where it holds for all, else one for each backend that it holds for."""
    cells = list(by_label.values())
    if len(by_label) == len(labels) and all(cell == cells[0] for cell in cells):
        yield cells[0]
    else:
        yield from (_named(label, cell) for label, cell in by_label.items())


def _named(label: str, cell: Parameters) -> Parameters:
    return FrozenMap({BACKEND: label, **cell})
