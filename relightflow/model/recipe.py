"""A recipe, read and checked: what to make from what, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from relightflow.errors import Problem
from relightflow.model.catalog import Model
from relightflow.model.check import CheckSpec
from relightflow.model.money import Micros
from relightflow.model.picks import Picks
from relightflow.model.spending import Allowance
from relightflow.model.values import FrozenMap, Parameters, Scalar


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a recipe, or on the command line that changed it."""

    file: str
    """As the user named it, or `--set limits.rate`."""
    line: int = 0
    """1-based; 0 where no line applies."""
    column: int = 0
    """1-based, in characters."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    type: str
    options: FrozenMap
    """Everything but `type`, checked against the plugin's schema."""


@dataclass(frozen=True, slots=True)
class SinkSpec:
    type: str
    options: FrozenMap


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any window of `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BackendLimits:
    """What holds for one entry of `backend` alone; None: as for all."""

    concurrency: int | None = None
    rate: Rate | None = None
    max_cost: Micros | None = None
    """What its calls may cost altogether, within what the recipe may."""


BACKEND = "backend"
"""The axis that a recipe with several backends has: which of them makes a cell."""


@dataclass(frozen=True, slots=True)
class BackendSpec:
    type: str
    model: Model
    options: FrozenMap
    """Everything but `type` and `model`."""
    label: str = ""
    """What tells it from other backends of the recipe: a value of the axis `backend`. Empty: its type."""
    limits: BackendLimits = BackendLimits()
    place: int = 0
    """Among the entries of `backend`, as the file has them."""

    @property
    def name(self) -> str:
        """What the recipe's reports and file names call it."""
        return self.label or self.type

    @property
    def free(self) -> bool:
        """Whether no call of it costs anything."""
        return self.model.price is not None and self.model.price.free

    @property
    def pair(self) -> tuple[str, str]:
        """Backend and model, as jobs and the ledger have them: no two of a recipe have the same."""
        return self.type, self.model.name


@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Axes in the recipe's order (the first is outermost), then GitHub Actions' rules.

    Source of the rules: docs.github.com, "Workflow syntax", jobs.<job_id>.strategy.matrix.
    """

    axes: tuple[Axis, ...] = ()
    exclude: tuple[Parameters, ...] = ()
    include: tuple[Parameters, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """Which cells of the matrix are made."""

    strategy: Literal["full", "pairwise", "random", "first"] = "full"
    count: int = 0
    """Cells to keep; for `random` and `first`."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    concurrency: int = 8
    """Calls in flight, of each backend."""
    rate: Rate | None = None
    """Of each backend. None: learned from the provider's answers."""
    max_cost: Micros | None = None
    """The most that the recipe may cost altogether."""
    budget: Allowance | None = None
    """Over everything in the state."""
    max_jobs: int = 10_000
    fail_fast: bool = False
    on_unknown: Literal["hold", "resubmit"] = "hold"
    on_reject: Literal["fail", "skip"] = "fail"
    """What an image that cannot be used does to the run: `skip` leaves it out, counted and named."""


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    """A slug; names the run and the caps' accounting."""
    path: Path
    """The file it was read from; relative paths in it count from its folder."""
    sha256: str
    """Over the file's bytes: what the manifest names."""
    sources: tuple[SourceSpec, ...]
    """In the recipe's order."""
    backend: BackendSpec
    """The backend, its model and options; of several the first."""
    matrix: Matrix = field(default_factory=Matrix)
    """Axes, excludes and includes."""
    sample: Sample = field(default_factory=Sample)
    """Which of the matrix's cells are taken."""
    repeat: int = 1
    """Independent results per cell."""
    limits: Limits = field(default_factory=Limits)
    """Concurrency, rate, cap and the like."""
    sinks: tuple[SinkSpec, ...] = ()
    """In the recipe's order."""
    written_sinks: tuple[SinkSpec, ...] = ()
    """The sinks as the file has them, where `sinks` are moved apart from them; empty: they are not."""
    rehearsed: bool = False
    """A stand-in makes it: nothing is bought, and nothing of it may count as bought."""
    checks: tuple[CheckSpec, ...] = ()
    """What is checked of every result, in the recipe's order. No part of a job key."""
    picks: Picks | None = None
    """The picks file that the recipe names: only these outputs are made."""
    warnings: tuple[str, ...] = ()
    """Things that are allowed and probably not meant, each as `file:line:col: path: message`."""
    more_backends: tuple[BackendSpec, ...] = ()
    """The others, in the recipe's order; then `backend` is the first axis of the matrix."""
    positions: FrozenMap = field(default_factory=FrozenMap, compare=False, repr=False)
    """Path, such as `matrix.exclude[0]`, → `Place`: of fields the key, of list items the item. Three
    steps deep at most, so that a list of many URLs costs nothing."""

    @property
    def backends(self) -> tuple[BackendSpec, ...]:
        """All of them, in the recipe's order; seldom more than one."""
        return self.backend, *self.more_backends

    @property
    def free(self) -> bool:
        """Whether no call of it costs anything."""
        return all(spec.free for spec in self.backends)

    @property
    def free_models(self) -> frozenset[tuple[str, str]]:
        """Backend and model of those that cost nothing."""
        return frozenset(spec.pair for spec in self.backends if spec.free)

    @property
    def backend_names(self) -> str:
        """Of all of them, for people."""
        return ", ".join(spec.name for spec in self.backends)

    @property
    def model_names(self) -> str:
        """Of all of them, for people."""
        return ", ".join(spec.model.name for spec in self.backends)

    @property
    def backend_facts(self) -> list[dict[str, str]]:
        """What the values of the axis `backend` stand for, as JSON."""
        return [
            {"label": spec.name, "backend": spec.type, "model": spec.model.name}
            for spec in self.backends
        ]

    def limits_of(self, spec: BackendSpec) -> Limits:
        """What holds for the calls of one backend."""
        own, every = spec.limits, self.limits
        return replace(
            every, concurrency=own.concurrency or every.concurrency, rate=own.rate or every.rate
        )

    def spec_of(self, backend: str, model: str) -> BackendSpec:
        """The one that a job is for."""
        return next(spec for spec in self.backends if spec.pair == (backend, model))

    def number_of(self, cell: Parameters) -> int:
        """Which of `backends` makes `cell`."""
        if not self.more_backends:
            return 0
        return [spec.name for spec in self.backends].index(cell[BACKEND])

    def sent(self, cell: Parameters) -> Parameters:
        """What the backend of `cell` is sent for it."""
        if not self.more_backends:
            return self.backend.model.normalise(cell)
        own = FrozenMap({name: value for name, value in cell.items() if name != BACKEND})
        return self.backends[self.number_of(cell)].model.normalise(own)

    @property
    def folder(self) -> Path:
        """The recipe file's folder; its paths are relative to it."""
        return self.path.parent

    def problem(self, path: str, message: str) -> Problem:
        """A problem that later packages find, at `path` or the nearest place above it in the file."""
        at = path
        while at and at not in self.positions:
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        position = self.positions.get(at) or Position(str(self.path))
        said = "" if position.file == f"--set {path}" else path
        return Problem(position.file, position.line, position.column, said, message)
