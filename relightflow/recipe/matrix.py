"""The `matrix` of a recipe: axes, exclude and include, each value checked against the model.

What can be said without expanding is said here, at the value's own place. What needs the cells (none
left, more than `max_jobs`, an include that touches every cell) is said by `relightflow.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from relightflow.model.catalog import Model, Parameter
from relightflow.model.light import LIGHT
from relightflow.model.recipe import BACKEND, Axis, Matrix
from relightflow.model.values import FrozenMap, Parameters, Scalar
from relightflow.recipe.annotations import is_annotation
from relightflow.recipe.findings import Findings
from relightflow.recipe.tree import Branch, Fields, Leaf, Node, Step, find
from relightflow.recipe.wording import listed, nearest, plain, quote

ALL = "all"
RULES = ("exclude", "include")


@dataclass(frozen=True, slots=True)
class ReadMatrix:
    """What the file says, for one backend."""

    matrix: Matrix = field(default_factory=Matrix)
    exclude_at: tuple[int, ...] = ()
    """Where each entry of `exclude` stands in the file's list."""
    include_at: tuple[int, ...] = ()


def read_matrix(
    node: Node | None,
    model: Model | None,
    findings: Findings,
    label: str = "",
    labels: Sequence[str] = (),
) -> ReadMatrix:
    """`node` is the value of `matrix`. `model` is None where the recipe names none that exists; the
    values are then not checked. `label`: of the backend among several, whose labels are `labels`; entries
    of other backends are left out."""
    if node is None:
        found = ReadMatrix()
    elif isinstance(node, Fields):
        found = _MatrixReader(model, findings, label, labels).read(node)
    else:
        return ReadMatrix()  # the schema has said so
    if model is not None:
        _check_required(found, model, findings)
    return found


@dataclass(slots=True, frozen=True)
class _KnownAxis:
    """An axis and what its values are looked up by: once, and not once for every `exclude`."""

    values: tuple[Scalar, ...]
    identities: frozenset[tuple[type, Scalar]]

    @classmethod
    def of(cls, axis: Axis) -> _KnownAxis:
        return cls(axis.values, frozenset(map(_identity, axis.values)))


@dataclass(slots=True, frozen=True)
class _MatrixReader:
    model: Model | None
    findings: Findings
    label: str = ""
    labels: Sequence[str] = ()

    def read(self, node: Fields) -> ReadMatrix:
        axes = tuple(
            Axis(name, self._axis(name, values))
            for name, values in node.items.items()
            if name not in RULES and not self._ignored(name) and not self._is_backend(name)
        )
        known = {axis.name: _KnownAxis.of(axis) for axis in axes}
        removed, added = self._entries(node, "exclude"), self._entries(node, "include")
        matrix = Matrix(
            axes=tuple(replace(axis, values=self._left(axis)) for axis in axes),
            exclude=tuple(self._excluded(steps, entry, known) for _, steps, entry in removed),
            include=tuple(self._included(steps, entry) for _, steps, entry in added),
        )
        return ReadMatrix(matrix, tuple(n for n, *_ in removed), tuple(n for n, *_ in added))

    def _is_backend(self, name: str) -> bool:
        """Whether it is the axis that a list of backends already is."""
        if not self.labels or name != BACKEND:
            return False
        said = "is an axis already, because `backend` is a list; name its values in exclude and include"
        self.findings.at_key(("matrix", name), said)
        return True

    def _left(self, axis: Axis) -> tuple[Scalar, ...]:
        """The values that this backend is to make at all."""
        return tuple(v for v in axis.values if not self._is_left_out(axis.name, v))

    def _is_left_out(self, axis: str, value: Scalar) -> bool:
        """Whether `exclude` removes the value for this backend, so that it need not know it."""
        listed = find(self.findings.tree, ("matrix", "exclude")) if self.labels else None
        wanted = {BACKEND: self.label, axis: value}
        for item in listed.items if isinstance(listed, Branch) else ():
            if isinstance(item, Fields) and {*item.items} - {"description"} == {*wanted}:
                leaves = {n: i.value for n, i in item.items.items() if isinstance(i, Leaf)}
                if all(_identity(leaves.get(n)) == _identity(v) for n, v in wanted.items()):
                    return True
        return False

    def _axis(self, name: str, node: Node) -> tuple[Scalar, ...]:
        steps: tuple[Step, ...] = ("matrix", name)
        parameter = self._parameter(steps)
        if isinstance(node, Fields):
            self.findings.at_value(steps, "expected a value or a list of values, found a mapping")
            return ()
        if isinstance(node, Branch):
            return self._values(steps, node, parameter)
        if node.value == ALL and parameter and parameter.kind == "choice":
            own = self.model.parameter(name) if self.model else None
            return (own or parameter).values
        if node.value is None:
            self.findings.at_value(steps, "has no value; add one, or remove the line")
            return ()
        self._check(steps, node.value, parameter)
        return (node.value,)

    def _values(
        self, steps: tuple[Step, ...], node: Branch, parameter: Parameter | None
    ) -> tuple[Scalar, ...]:
        first: dict[tuple[type, Scalar], int] = {}
        for index, item in enumerate(node.items):
            if not isinstance(item, Leaf):
                self._not_one((*steps, index), item)
            elif self._check((*steps, index), item.value, parameter):
                before = first.setdefault(_identity(item.value), index)
                if before != index:
                    said = f"{quote(item.value, item.written)} is a duplicate of [{before}]"
                    self.findings.at_value((*steps, index), said)
        if not node.items:
            self.findings.at_value(steps, "has no values; add some, or remove the line")
        return tuple(item.value for item in node.items if isinstance(item, Leaf))

    def _check(self, steps: tuple[Step, ...], value: Scalar, parameter: Parameter | None) -> bool:
        problem = parameter.problem(value) if parameter else None
        if problem and parameter and self._is_left_out(parameter.name, value):
            return True
        if problem and parameter:
            hint = nearest(value, parameter.values, written=self._written(steps))
            if value == ALL and parameter.kind == "choice" and isinstance(steps[-1], int):
                hint = f" (for every value write {parameter.name}: all)"
            if parameter.kind == "text" and value is not None:
                hint = f" (in quotes it is text: {quote(plain(value, self._written(steps)))})"
            whose = f"backend {self.label}: " if self.labels else ""
            self.findings.at_value(steps, f"{whose}{self._quoted(steps, value)} {problem}{hint}")
        return not problem

    def _parameter(self, steps: tuple[Step, ...]) -> Parameter | None:
        name = str(steps[-1])
        if self.model is None or (found := self.model.axis(name)):
            return found if self.model else None
        known = [p.name for p in self.model.axes]
        message = f"{self.model.name} has no parameter of this name; known: {listed(known)}"
        hint = "" if name in LIGHT else nearest(name, [*known, *RULES], 0.6)  # no slip of the pen
        if self.labels and not hint:
            hint = f" (for one backend alone: include: [{{backend: NAME, {name}: VALUE}}])"
        self.findings.at_key(steps, message + hint)
        return None

    def _entries(self, node: Fields, rule: str) -> list[tuple[int, tuple[Step, ...], Fields]]:
        """Place in the file's list, path, and what the entry says of this backend."""
        found = node.items.get(rule)
        steps: tuple[Step, ...] = ("matrix", rule)
        if found is None:
            return []
        if not isinstance(found, Branch):
            self.findings.at_value(steps, f"expected a list of mappings, such as [{{{_EXAMPLE}}}]")
            return []
        entries = []
        for index, item in enumerate(found.items):
            if not isinstance(item, Fields):
                said = f"expected a mapping, such as {{{_EXAMPLE}}}"
                self.findings.at_value((*steps, index), said)
                continue
            told = {n: v for n, v in item.items.items() if not self._ignored(n)}
            if not told:
                self.findings.at_value((*steps, index), "is empty")
            elif self._is_mine((*steps, index), told):
                entries.append((index, (*steps, index), replace(item, items=told)))
        return entries

    def _is_mine(self, steps: tuple[Step, ...], told: dict[str, Node]) -> bool:
        """Whether an entry is for this backend, which is then taken out of it."""
        if not self.labels or BACKEND not in told:
            return True
        named = told.pop(BACKEND)
        word = named.value if isinstance(named, Leaf) else None
        if word is None:
            self._not_one((*steps, BACKEND), named)
            return False
        if word not in self.labels:
            said = f"{self._quoted((*steps, BACKEND), word)} is no backend of this recipe; its backends: {listed(self.labels)}"
            self.findings.at_value((*steps, BACKEND), said + nearest(word, list(self.labels)))
            return False
        if not told:
            what = (
                "removes all that the backend makes; remove it from the list"
                if "exclude" in steps
                else "adds nothing to it"
            )
            self.findings.at_value(steps, what)
            return False
        return word == self.label

    def _ignored(self, name: str) -> bool:
        """Whether a field is for people; a parameter of the model of that name goes first."""
        return is_annotation(name) and not (self.model and self.model.axis(name))

    def _quoted(self, steps: tuple[Step, ...], value: Scalar) -> str:
        return quote(value, self._written(steps))

    def _spelled(self, axis: str, values: tuple[Scalar, ...]) -> Sequence[Scalar]:
        """The values of an axis as the file spells them."""
        found = find(self.findings.tree, ("matrix", axis))
        if not isinstance(found, Branch):
            return values
        return [n.written or n.value for n in found.items if isinstance(n, Leaf)]

    def _written(self, steps: tuple[Step, ...]) -> str:
        """How the file spells what stands there."""
        found = find(self.findings.tree, steps)
        return found.written if isinstance(found, Leaf) else ""

    def _excluded(
        self, steps: tuple[Step, ...], entry: Fields, axes: dict[str, _KnownAxis]
    ) -> Parameters:
        for name in entry.items:
            if name not in axes:
                message = f"is not an axis of this matrix; axes: {listed(axes) or 'none'}"
                self.findings.at_key((*steps, name), message + nearest(name, list(axes), 0.6))
        cell = self._cell(steps, {n: v for n, v in entry.items.items() if n in axes})
        for name, value in cell.items():
            values = axes[name].values
            if _identity(value) not in axes[name].identities:
                at = (*steps, name)
                message = f"{self._quoted(at, value)} is not a value of this axis; values: {listed(self._spelled(name, values))}"
                near = nearest(value, values, written=self._written(at))
                self.findings.at_value(at, message + near)
        return cell

    def _included(self, steps: tuple[Step, ...], entry: Fields) -> Parameters:
        cell = self._cell(steps, dict(entry.items))
        for name, value in cell.items():
            self._check((*steps, name), value, self._parameter((*steps, name)))
        return cell

    def _cell(self, steps: tuple[Step, ...], entry: dict[str, Node]) -> Parameters:
        cell: dict[str, Scalar] = {}
        for name, item in entry.items():
            if isinstance(item, Leaf) and item.value is not None:
                cell[name] = item.value
            else:
                self._not_one((*steps, name), item)
        return FrozenMap(cell)

    def _not_one(self, steps: tuple[Step, ...], node: Node) -> None:
        found = {Branch: "a list", Fields: "a mapping", Leaf: "nothing"}[type(node)]
        self.findings.at_value(steps, f"expected one value, found {found}")


_EXAMPLE = "light_direction: left"


def _identity(value: Scalar) -> tuple[type, Scalar]:
    """1 and 1.0 are one value, 1 and true are two."""
    return (bool, value) if isinstance(value, bool) else (object, value)


def _check_required(found: ReadMatrix, model: Model, findings: Findings) -> None:
    """Every cell must have what the model has no default for."""
    matrix = found.matrix
    axes = {axis.name: {_identity(v) for v in axis.values} for axis in matrix.axes}
    for parameter in model.parameters:
        if not parameter.required or parameter.default is not None or parameter.name in axes:
            continue
        given = [cell for cell in matrix.include if parameter.name in cell]
        touches_all = any(not (axes.keys() & cell.keys()) for cell in given)
        if not (touches_all if axes else given and len(given) == len(matrix.include)):
            message = f"{model.name} requires '{parameter.name}' ({parameter.range_text()})"
            findings.at_key(("matrix",), message)
    for index, cell in zip(found.include_at, matrix.include, strict=True):
        if any(n in axes and _identity(v) not in axes[n] for n, v in cell.items()):
            _check_new_cell(index, cell, model, findings)


def _check_new_cell(index: int, cell: Parameters, model: Model, findings: Findings) -> None:
    """An include that fits no axis makes a cell of its own, which borrows nothing from the others."""
    for parameter in model.parameters:
        if parameter.required and parameter.default is None and parameter.name not in cell:
            message = f"adds a new cell, and {model.name} requires '{parameter.name}' in it"
            findings.at_value(("matrix", "include", index), message)
