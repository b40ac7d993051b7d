"""The parameters of a run as columns of a table: one type each, under names of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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

    def row(self, parameters: Mapping[str, Scalar]) -> Iterator[tuple[str, Scalar]]:
        """Every column with its value; None where this output has no such parameter."""
        for name, column in self.names.items():
            value = parameters.get(name)
            if isinstance(value, str):
                value = unicode_text(value)
            elif name in self.mixed and value is not None:
                value = str(value).lower() if isinstance(value, bool) else str(value)
            yield column, value


def columns(run: FinishedRun, taken: Iterable[str]) -> Columns:
    """Of all cells of `run`; a name that is `taken` by another column gets `parameter_` before it."""
    kinds: dict[str, set[str]] = {name: set() for name in run.axes}
    for output, _, _ in shared_records(run):
        for name, value in output.cell.items():
            kinds.setdefault(name, set()).update(_kind(value))
    reserved = set(taken)
    names = {name: f"parameter_{name}" if name in reserved else name for name in kinds}
    return Columns(names, frozenset(name for name, found in kinds.items() if len(found) > 1))


def _kind(value: Any) -> set[str]:
    if value is None:
        return set()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"number"}
    return {type(value).__name__}
