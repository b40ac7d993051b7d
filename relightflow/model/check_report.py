"""What `relightflow check` found out."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.check import CheckResult
from relightflow.model.job import Output
from relightflow.model.recipe import Recipe


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """An output of a plan or a manifest, and what the checks say of its result."""

    output: Output
    """Which image, cell and repeat it is."""
    made: bool
    """Whether it has a result."""
    checks: tuple[CheckResult, ...] = ()
    """In the recipe's order; empty without a result."""

    @property
    def failed(self) -> bool:
        """Whether a check with severity `fail` failed."""
        return any(check.failed for check in self.checks)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All outputs of one recipe or manifest, checked."""

    name: str
    """The recipe's name."""
    outputs: tuple[CheckedOutput, ...]
    """In plan order."""
    recipe: Recipe | None = None
    """None where a manifest was checked."""
