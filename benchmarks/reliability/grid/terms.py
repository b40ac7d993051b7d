"""What the fault table is written in: acts of a server, and the ways a run may end.

A row says what the server does in no protocol's words (`Act`); `rules` and `spoils` turn that into what the
emulators take. Two jobs are bought, one after the other; then there is a second run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from relightflow.errors import Exit

PROVIDERS = ("segmind v2", "segmind v1", "fal", "replicate", "runware", "comfy", "comfyui")
Phase = Literal["submit", "poll", "status", "result", "download", "upload"]
JOBS = 2


@dataclass(frozen=True, slots=True)
class Act:
    """What the server, or the network before it, does to some requests."""

    kind: str
    """Such as `reset`, `cut`, `status`, `refusal`; `nothing` where the account is what is special."""
    phase: Phase = "submit"
    times: int = 1
    """To so many requests; 0: to all, in both runs."""
    taken: bool = True
    """A submit is taken, and billed, all the same."""
    recorded: bool = True
    """False: the provider's records never show a call."""
    cell: bool = False
    """Only to the first job, in both runs."""
    value: Any = None
    """What the kind is about: a status, the name of a refusal, a cost, a URL."""
    body: str = "json"
    """Of a status: the provider's own `json`, an `html` page, or `none`."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a fault ends: exit codes of both runs, and calls on the bill after each."""

    label: str
    """For the table in the docs."""
    exit: Exit
    billed: int | None
    """None: not looked at."""
    then: Exit = Exit.OK
    end: int = JOBS
    said: tuple[str, ...] = ()
    """Words that the first run must print."""


@dataclass(frozen=True, slots=True)
class NotHere:
    """The row does not apply to a provider."""

    why: str


MADE = Ending("made", Exit.OK, JOBS)
"""In the same run, and billed once."""
LATER = Ending(
    "next run", Exit.EARLY, 1, said=("not to have been accepted", "not billed", "run again")
)
"""Certainly not billed, and made by the next run."""
AWAY = Ending("next run", Exit.EARLY, 0)
"""The server was away for a whole run."""
AGAIN = Ending("next run", Exit.EARLY, None)
"""Free: what became of it is of no interest, and it is made by the next run."""
HELD = Ending(
    "unknown, held", Exit.UNKNOWN, JOBS, Exit.UNKNOWN,
    said=("may have been billed, 0.", "unknown outcomes remain"),
)  # fmt: skip
"""Held in every run, and never sent again."""
DOUBT = Ending("unknown, held", Exit.UNKNOWN, 0, Exit.UNKNOWN, 0, ("may have been billed, 0.",))
"""The same, for as long as the fault lasts, where nothing is taken."""
REMADE = Ending("fails, next run", Exit.JOBS_FAILED, None, Exit.OK, 3)
"""Free: told, and made once more by the next run."""
FAILED = Ending("fails, not billed", Exit.JOBS_FAILED, 1, Exit.JOBS_FAILED, 1, ("not billed",))
"""That job alone, for as long as the fault lasts."""
BOTH_FAIL = Ending("fails, not billed", Exit.JOBS_FAILED, 0, Exit.JOBS_FAILED, 0, ("not billed",))
"""Every job, for as long as the fault lasts."""
PAID = Ending(
    "paid, no image", Exit.JOBS_FAILED, JOBS, Exit.JOBS_FAILED,
    said=("billed, 0.", "not bought again automatically"),
)  # fmt: skip
"""Kept, told in every run, and not bought again by itself."""
RAN = Ending(
    "fails, billed", Exit.JOBS_FAILED, JOBS, Exit.JOBS_FAILED,
    said=("billed, 0.", "not bought again automatically"),
)  # fmt: skip
"""The time that it ran is paid for, and it is not bought again by itself."""
LOST = Ending("paid, lost", Exit.JOBS_FAILED, JOBS, Exit.JOBS_FAILED, said=("is lost",))
"""The provider says that it has deleted the result."""
MODEL = Ending("model stops", Exit.JOBS_FAILED, 0, Exit.JOBS_FAILED, 0, ("not billed",))
ACCOUNT = Ending("run stops", Exit.ACCOUNT, 0, Exit.ACCOUNT, 0)
"""A person is needed."""
SPENT = Ending("run stops", Exit.ACCOUNT, 1, Exit.ACCOUNT, 1)
"""The same after the first job."""
WAITS = Ending("run stops", Exit.EARLY, 0, Exit.EARLY, 0)
PROVEN = Ending("next run", Exit.EARLY, 1, Exit.UNKNOWN, 1)
"""Proven not to have been taken by a later call; where it is the only one, the next purchase proves it."""
COUNTED = Ending("fails, counts as billed", Exit.JOBS_FAILED, 0, Exit.JOBS_FAILED, 0)
"""Not documented to be free, so it counts, and is not bought again by itself."""
REFUSED = Ending("refused", Exit.REFUSED, 0, Exit.REFUSED, 0)
ELSEWHERE = Ending("refused, paid", Exit.REFUSED, 1, Exit.REFUSED, 1, ("refused", "paid for"))
"""The result is at a place that is not the provider's."""
DEAR = Ending("run stops", Exit.BUDGET, 1, said=("charged 0.",))
CAPPED = Ending("run stops", Exit.BUDGET, 1, Exit.BUDGET, 1)
FETCHED = Ending("fetched by the next run", Exit.EARLY, JOBS)
"""It is paid for, and its result lives on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    name: str
    what: str
    """What the server does, for the docs."""
    act: Act
    ends: Mapping[str, Ending | NotHere]
    """Provider → what must come of it; every provider is there."""
    cap: int | None = None
    """Micro-dollars; None: plenty."""

    @property
    def played(self) -> tuple[str, ...]:
        """The providers that it is played with."""
        return tuple(p for p in PROVIDERS if isinstance(self.ends[p], Ending))
