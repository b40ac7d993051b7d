"""The parameters of a run as columns of a table: one type each, under names of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relightflow.model.values import Scalar
from relightflow.plugins.sink import FinishedRun
from relightflow.sinks.output_records import shared_records, unicode_text


@dataclass(frozen=True, slots=True)
class Columns:
    names: Mapping[str, str]
    """Parameter → column."""
    mixed: frozenset[str]
    """Parameters whose values are of several types: a column has one, so they become text."""

    gap: Scalar = None
    """What stands where an output has no such parameter."""

    def row(self, parameters: Mapping[str, Scalar]) -> Iterator[tuple[str, Scalar]]:
        """Every column with its value; `gap` where this output has no such parameter."""
        for name, column in self.names.items():
            value = parameters.get(name)
            if isinstance(value, str):
                value = unicode_text(value)
            elif name in self.mixed and value is not None:
                value = str(value).lower() if isinstance(value, bool) else str(value)
            yield column, self.gap if value is None else value


def columns(run: FinishedRun, taken: Iterable[str]) -> Columns:
    """Of all cells of `run`; a name that is `taken` by another column gets `parameter_` before it."""
    kinds = Kinds(run.axes)
    for output, _, _ in shared_records(run):
        kinds.note(output.cell)
    return kinds.columns(taken)


class Kinds:
    """Notes which types of values each parameter has, row by row; in the end these are columns."""

    def __init__(self, first: Iterable[str] = ()) -> None:
        """`first`: names of columns that stand before the others."""
        self._kinds: dict[str, set[str]] = {name: set() for name in first}
        self._seen = Counter[str]()
        self._rows = 0

    def note(self, row: Mapping[str, Scalar]) -> None:
        self._rows += 1
        for name, value in row.items():
            self._kinds.setdefault(name, set()).update(_kind(value))
            self._seen[name] += value is not None

    def columns(self, taken: Iterable[str] = ()) -> Columns:
        """A name that is `taken` by another column gets `parameter_` before it."""
        reserved = set(taken)
        names = {name: f"parameter_{name}" if name in reserved else name for name in self._kinds}
        return Columns(
            names, frozenset(name for name, found in self._kinds.items() if len(found) > 1)
        )

    def whole(self) -> Columns:
        """Columns without a gap: where some row has no value, the column is text."""
        columns = self.columns()
        gaps = (name for name in self._kinds if self._seen[name] < self._rows)
        return replace(columns, mixed=columns.mixed | {*gaps}, gap="")


def _kind(value: Any) -> set[str]:
    if value is None:
        return set()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"number"}
    return {type(value).__name__}
