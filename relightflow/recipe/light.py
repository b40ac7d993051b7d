"""Light that a model cannot do, or only nearly: said, sent as the nearest, or left out.

What a model can do stands in its `LightTable`; what becomes of the rest, in the recipe's `on_unsupported`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from relightflow.model.catalog import Model
from relightflow.model.light import LIGHT, LightRow, LightTable
from relightflow.model.recipe import Axis, Matrix
from relightflow.model.values import Parameters, Scalar
from relightflow.recipe.findings import Findings, spelled
from relightflow.recipe.matrix import ReadMatrix
from relightflow.recipe.tree import Leaf, Step, find
from relightflow.recipe.wording import listed

_Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class FittedMatrix(ReadMatrix):
    """Of what the model can do."""

    warnings: tuple[tuple[str, str], ...] = ()
    """Path in the recipe, and what is sent or left out there."""


def fit_light(found: ReadMatrix, model: Model | None, findings: Findings) -> FittedMatrix:
    """What was `found` with only such values of the four axes of light as `model` can be sent. `model`
    None: the recipe names none that exists."""
    if model is None or model.light is None:
        return FittedMatrix(found.matrix, found.exclude_at, found.include_at)
    said = find(findings.tree, ("on_unsupported",))
    mode = str(said.value) if isinstance(said, Leaf) else "error"
    return _Fitter(model, model.light, mode, findings).fit(found)


@dataclass(frozen=True, slots=True)
class _Fitter:
    model: Model
    table: LightTable
    mode: str
    findings: Findings
    warnings: list[tuple[str, str]] = field(default_factory=list)

    def fit(self, found: ReadMatrix) -> FittedMatrix:
        matrix = found.matrix
        axes = tuple(map(self._axis, matrix.axes))
        include = tuple(self._included(found))
        gone = {
            (axis.name, value)
            for axis, kept in zip(matrix.axes, axes, strict=True)
            for value in {*axis.values} - {*kept.values}
        }
        removed = zip(found.exclude_at, matrix.exclude, strict=True)
        exclude = [(at, cell) for at, cell in removed if not gone & set(cell.items())]
        self._check_apart(axes)
        return FittedMatrix(
            Matrix(axes, tuple(c for _, c in exclude), tuple(c for _, c in include)),
            tuple(at for at, _ in exclude),
            tuple(at for at, _ in include),
            tuple(self.warnings),
        )

    def _axis(self, axis: Axis) -> Axis:
        if axis.name not in LIGHT or self.model.axis(axis.name) is None:
            return axis  # in the second case that is said already
        steps: _Steps = ("matrix", axis.name)
        one = isinstance(find(self.findings.tree, steps), Leaf)
        kept = tuple(
            value
            for index, value in enumerate(axis.values)
            if self._takes(steps if one else (*steps, index), axis.name, value)
        )
        if axis.values and not kept and self.mode == "skip":
            said = f"no value is left: {self.model.name} can do {self._can(axis.name)}"
            self.findings.at_value(steps, said)
        return replace(axis, values=kept)

    def _included(self, found: ReadMatrix) -> Iterator[tuple[int, Parameters]]:
        for index, cell in zip(found.include_at, found.matrix.include, strict=True):
            places: list[tuple[_Steps, str, Scalar]] = [
                (("matrix", "include", index, name), name, value)
                for name, value in cell.items()
                if name in LIGHT and self.model.axis(name)
            ]
            taken = [self._takes(*place) for place in places]  # each may have something to say
            if all(taken):
                yield index, cell

    def _takes(self, steps: _Steps, axis: str, value: Scalar) -> bool:
        """Whether the value stays; a value that may not is a problem or a warning."""
        own = self.model.parameter(axis)
        if (own and value in own.values) or value not in LIGHT[axis]:
            return True  # the model's own, or wrong and said already
        row = self.table.row(axis, value)
        if row is not None and row.fit == "exact":
            return True
        sent = self._sent(row) if row else ""
        tell: Callable[[_Steps, str], None] = self.findings.at_value
        if self.mode == "skip":
            tell = self._warn
            what = f"left out: {self.model.name} has nothing that is the same"
            nearest = f"; the nearest is {sent} (on_unsupported: near)" if row else ""
        elif row is not None and self.mode == "near":
            tell = self._warn
            what, nearest = f"sent as {sent}, the nearest that {self.model.name} has", ""
        elif row is not None:
            what = f"{self.model.name} has nothing that is the same"
            nearest = f"; the nearest is {sent}. Send that with on_unsupported: near, or leave such cells out with on_unsupported: skip"
        else:
            what = f"{self.model.name} cannot do it; it can do {self._can(axis)}"
            nearest = ". Remove it, or leave such cells out with on_unsupported: skip"
        tell(steps, f"'{value}': {what}{nearest}")
        return row is not None and self.mode == "near"

    def _warn(self, steps: _Steps, message: str) -> None:
        self.warnings.append((spelled(steps), message))

    def _sent(self, row: LightRow) -> str:
        if row.parameter == self.table.words:
            return f"'{row.sent}' in {row.parameter}"
        return f"{row.parameter} '{row.sent}'"

    def _can(self, axis: str) -> str:
        rows = [row for row in self.table.rows if row.axis == axis]
        return listed([r.value + (" (nearly)" if r.fit == "near" else "") for r in rows])

    def _check_apart(self, axes: tuple[Axis, ...]) -> None:
        """Two axes that decide the same parameter would overwrite each other."""
        taken: dict[str, str] = {}
        for axis in axes:
            sets = {axis.name} if self.model.parameter(axis.name) else frozenset[str]()
            if axis.name in LIGHT:
                sets |= self.table.sets(axis.name, axis.values)
            for parameter in sorted(sets):
                before = taken.setdefault(parameter, axis.name)
                if before != axis.name:
                    said = f"decides {parameter} of {self.model.name}, as '{before}' does; remove one of the two"
                    self.findings.at_key(("matrix", axis.name), said)
