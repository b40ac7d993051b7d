"""Every error a user can meet, and the exit code it ends with.

    RelightflowError
    ├── UsageError         2   the command line asks for something that cannot be
    ├── InvalidRecipe      2   a recipe, with every problem it has and where
    ├── AccountError       4   the account needs a person: key, credits, spend limit
    ├── StorageError       6   local storage failed: disk full, damaged or newer ledger
    ├── BudgetError        7   a paid run without a cap, or a cap that is reached
    ├── DamagedError       8   stored bytes do not match their hash
    ├── RefusedError       9   a safety rule says no
    └── EarlyStop         75   stopped early and resumable: outage, quota, a held lock

A job's failure is not an error but a value (`relightflow.model.outcome`); these are for what stops a
command. Anything else that escapes is a bug of ours and shown with a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller; the table in docs/reference/exit-codes.md is this one."""

    OK = 0
    JOBS_FAILED = 1
    INVALID = 2
    WORK_TO_DO = 3
    ACCOUNT = 4
    UNKNOWN = 5
    STORAGE = 6
    BUDGET = 7
    DAMAGED = 8
    REFUSED = 9
    EARLY = 75
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """One line for people: shown in the summary and in the reference."""
        return _MEANING[self]


_MEANING = {
    Exit.OK: "everything requested is in place",
    Exit.JOBS_FAILED: "some jobs or files failed; the others are in place",
    Exit.INVALID: "the command line or a recipe is invalid; nothing was sent",
    Exit.WORK_TO_DO: "there is work to do",
    Exit.ACCOUNT: "the account needs attention: key missing or refused, credits, spend limit",
    Exit.UNKNOWN: "unknown outcomes remain: they may have been billed",
    Exit.STORAGE: "local storage failed",
    Exit.BUDGET: "the budget was reached",
    Exit.DAMAGED: "stored bytes do not match their hash",
    Exit.REFUSED: "refused by a safety rule",
    Exit.EARLY: "stopped early and resumable: outage, quota, deadline, another run holds the lock",
    Exit.INTERRUPTED: "interrupted; resumable",
    Exit.TERMINATED: "terminated; resumable",
}

GRAVEST_FIRST = (
    Exit.INTERRUPTED,
    Exit.TERMINATED,
    Exit.STORAGE,
    Exit.DAMAGED,
    Exit.UNKNOWN,
    Exit.REFUSED,
    Exit.ACCOUNT,
    Exit.BUDGET,
    Exit.INVALID,
    Exit.JOBS_FAILED,
    Exit.EARLY,
    Exit.WORK_TO_DO,
)
"""Of several codes that hold, the first here is the one a process ends with."""


_RESUMABLE = (Exit.ACCOUNT, Exit.STORAGE, Exit.EARLY, Exit.INTERRUPTED, Exit.TERMINATED)
"""Codes after which the next run goes on with the same purchase, under the same cap."""


def gravest(exits: Iterable[Exit]) -> Exit:
    """The one code a process ends with when several hold. A signal outranks all: the shell asks."""
    held = set(exits)
    return next((code for code in GRAVEST_FIRST if code in held), Exit.OK)


class RelightflowError(Exception):
    """A problem of the user's world, told in words. `exit_code` is what the process ends with."""

    exit_code: Exit = Exit.JOBS_FAILED


class UsageError(RelightflowError):
    exit_code = Exit.INVALID


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a recipe: where it stands and what would be right."""

    file: str
    line: int
    """1-based; 0 where no line applies."""
    column: int
    """1-based, in characters."""
    path: str
    """Where in the recipe, such as `matrix.light_direction[1]`; empty for the whole file."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class InvalidRecipe(RelightflowError):
    """A recipe that cannot be used; `problems` holds all that is wrong, in the file's order."""

    exit_code = Exit.INVALID

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class AccountError(RelightflowError):
    exit_code = Exit.ACCOUNT


class StorageError(RelightflowError):
    exit_code = Exit.STORAGE


class BudgetError(RelightflowError):
    exit_code = Exit.BUDGET


class DamagedError(RelightflowError):
    exit_code = Exit.DAMAGED


class RefusedError(RelightflowError):
    exit_code = Exit.REFUSED


class EarlyStop(RelightflowError):
    exit_code = Exit.EARLY
