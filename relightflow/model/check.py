"""Verdicts of checks on results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from relightflow.model.values import FrozenMap

Severity = Literal["info", "warn", "fail"]
"""What a failed check means: `info` is only recorded, `warn` is told, `fail` fails the run."""


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105  a verdict
    """It holds."""
    FAIL = "fail"
    """It does not hold."""
    UNSURE = "unsure"
    """The evidence is too weak to say."""
    ERROR = "error"
    """The check itself could not be done."""


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check that a recipe asks for."""

    type: str
    """The check's name."""
    severity: Severity
    """The recipe's, else the check's own."""
    options: FrozenMap
    """Everything but `type` and `severity`, checked against the plugin's schema."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check says of one result."""

    verdict: Verdict
    """pass, fail, unsure or error."""
    value: float | str | None = None
    """What was measured; None: nothing was."""
    bound: float | str | None = None
    """What it is held against."""
    unit: str = ""
    """Of both, such as `stops`."""
    message: str = ""
    """In words, what is wrong or why nothing can be said; empty where it passes."""
    name: str = ""
    """The check's name; filled in by relightflow."""
    severity: Severity = "fail"
    """What a failure means; filled in by relightflow."""

    @property
    def failed(self) -> bool:
        """Whether the recipe's author calls this a failure: the verdict and the severity are `fail`."""
        return self.verdict is Verdict.FAIL and self.severity == "fail"
