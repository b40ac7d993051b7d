"""The axes of a page: every name with its values in their order, and each cell as indices of them.

`run`, `backend`, `image` and `repeat` are axes like the recipe's parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from relightflow.gallery.run import GalleryRun
from relightflow.model.values import Scalar, canonical_json

RUN, BACKEND, IMAGE, REPEAT, PARAMETER = "run", "backend", "image", "repeat", "parameter"
ABSENT = -1
"""The index of a cell that has no value on an axis."""


@dataclass(slots=True)
class _GalleryAxis:
    """Filled while the cells are read; values are dictionary-coded."""

    id: str
    """Unique on the page; a parameter called like one of ours gets `parameter_` before it."""
    name: str
    kind: str
    values: list[Scalar] = field(default_factory=list)
    hidden: bool = False
    """It varies, and only as another axis does."""
    partial: bool = False
    """Some cells have no value on it."""
    _known: dict[Any, int] = field(default_factory=dict)

    def index(self, value: Scalar) -> int:
        # 1, 1.0 and True are one key for Python, and three values here (1.0 is 1)
        key = (type(value), value) if not isinstance(value, float) else spelled(value)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._new(value)
        return found

    def _new(self, value: Scalar) -> int:
        spelling = spelled(value)
        if spelling not in self._known:
            self._known[spelling] = len(self.values)
            self.values.append(value)
        return self._known[spelling]


def spelled(value: Scalar) -> str:
    """The same for what JavaScript takes for the same value."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical_json(value)


@dataclass(frozen=True, slots=True)
class Table:
    axes: tuple[_GalleryAxis, ...]
    columns: tuple[list[int], ...]
    """One an axis: for each cell the index of its value, or ABSENT."""


def tabulate(runs: Sequence[GalleryRun], labels: Sequence[str]) -> Table:
    """All cells of all runs, in the order of the runs and of their plans."""
    ours = [_GalleryAxis(kind, kind, kind) for kind in (RUN, BACKEND, IMAGE)]
    repeat = _GalleryAxis(REPEAT, REPEAT, REPEAT)
    parameters = _parameters(runs)
    axes = (*ours, *parameters.values(), repeat)
    columns: tuple[list[int], ...] = tuple([] for _ in axes)
    names = [(name, axis) for name, axis in parameters.items()]
    makers = _backends(runs)
    for run, label, maker in zip(runs, labels, makers, strict=True):
        at_run, at_backend = ours[0].index(label), ours[1].index(maker)
        for entry in run.entries:
            indices = [at_run, at_backend, ours[2].index(f"{entry.input.sha256}{entry.input.name}")]
            for name, axis in names:
                value = entry.cell.get(name)
                indices.append(ABSENT if value is None else axis.index(value))
            indices.append(repeat.index(entry.repeat))
            for column, index in zip(columns, indices, strict=True):
                column.append(index)
    for axis, column in zip(axes, columns, strict=True):
        axis.partial = bool(axis.values) and ABSENT in column
        if axis.kind in (PARAMETER, REPEAT):
            _order(axis, column, _known(runs, axis.name))
    # every run another backend: one of the two axes says it all
    ours[0].hidden = len(ours[1].values) == len(runs) > 1
    return Table(axes, columns)


def _parameters(runs: Iterable[GalleryRun]) -> dict[str, _GalleryAxis]:
    """An axis for each parameter, in the order in which cells spell them."""
    axes: dict[str, _GalleryAxis] = {}
    seen: set[tuple[str, ...]] = set()
    for run in runs:
        for entry in run.entries:
            names = tuple(entry.cell)
            if names in seen:
                continue
            seen.add(names)
            for name in names:
                id_ = f"parameter_{name}" if name in (RUN, BACKEND, IMAGE, REPEAT) else name
                axes.setdefault(name, _GalleryAxis(id_, name, PARAMETER))
    return axes


def _backends(runs: Sequence[GalleryRun]) -> list[str]:
    """Each run's backend, with its model where one backend has several."""
    models: dict[str, set[str]] = {}
    for run in runs:
        models.setdefault(run.head.backend, set()).add(run.head.model)
    return [
        run.head.backend
        if len(models[run.head.backend]) == 1
        else f"{run.head.backend} {run.head.model}"
        for run in runs
    ]


def _known(runs: Iterable[GalleryRun], name: str) -> Iterator[Scalar]:
    for run in runs:
        yield from run.known.get(name, ())


def _order(axis: _GalleryAxis, column: list[int], known: Iterable[Scalar]) -> None:
    """Put values in the recipe's order where it is known, numbers in theirs, else as they came."""
    wanted = {spelled(value): place for place, value in reversed(list(enumerate(known)))}
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in axis.values)

    def rank(index: int) -> tuple[float, float]:
        value = axis.values[index]
        place = wanted.get(spelled(value), len(wanted))
        return (place, float(value) if numbers and isinstance(value, int | float) else index)

    order = sorted(range(len(axis.values)), key=rank)
    moved = {old: new for new, old in enumerate(order)}
    if all(old == new for old, new in moved.items()):
        return
    axis.values = [axis.values[old] for old in order]
    column[:] = [moved.get(index, ABSENT) for index in column]


def labels(runs: Sequence[GalleryRun]) -> list[str]:
    """A name for each run, each another one."""
    names = [run.head.recipe for run in runs]
    if len(set(names)) < len(names):
        names = [f"{run.head.recipe} {run.head.backend}" for run in runs]
    made: list[str] = []
    for name in names:
        numbered = (f"{name} {number}" for number in count(2))
        made.append(next(n for n in chain((name,), numbered) if n not in made))
    return made


def facts(axis: _GalleryAxis, images: Mapping[str, str]) -> dict[str, Any]:
    """The axis as data.js has it. `images`: the key of an image → its name."""
    values = [images[str(v)] for v in axis.values] if axis.kind == IMAGE else axis.values
    found: dict[str, Any] = {
        "id": axis.id, "name": axis.name, "kind": axis.kind, "values": list(values)
    }  # fmt: skip
    if axis.hidden:
        found["hidden"] = True
    if axis.partial:
        found["partial"] = True
    return found
