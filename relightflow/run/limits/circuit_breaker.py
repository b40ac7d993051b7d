"""Stops submitting while the provider is down, and stops what it has refused for good.

The circuit breaker opens after `FAILURES` failures in a row over at least `JOBS` different jobs: one sick
image is not an outage. While it is open nothing is submitted; a free call (the balance) asks
whether the provider is back. A backend without a free call is given time, then one job goes ahead
alone. Refusals remember cells and models, so that 1,000 repeats of a refused cell are not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from relightflow.errors import EarlyStop
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.values import Parameters
from relightflow.run.clock import Clock

FAILURES = 5
JOBS = 3
WAITS = (5.0, 10.0, 20.0, 40.0, 60.0, 60.0)
"""Seconds before each probe; when the last one fails too the run stops."""
OUTAGE = frozenset({FailureKind.UNSENT, FailureKind.UNAVAILABLE, FailureKind.UNKNOWN})
"""What a provider that is down looks like; UNKNOWN is what a timeout after the body becomes."""
NEUTRAL = frozenset({FailureKind.BAD_IMAGE, FailureKind.BUG, FailureKind.PENDING})
"""Says nothing about the provider's submit."""

_Probe = Callable[[], Awaitable[object]]
"""A free call. Raises CallFailed, OSError or TimeoutError while the provider is down."""


class CircuitBreaker:
    """`closed()` before each submit, `note()` after it."""

    def __init__(self, clock: Clock, probe: _Probe | None = None) -> None:
        self._clock = clock
        self.probe = probe
        self._row: list[str] = []
        """Job keys of the failures in a row."""
        self._last = ""
        self._probes: int | None = None
        """Probes made since it opened; None while it is closed."""
        self._trial: str | None = None
        """Key of the job that goes ahead alone."""
        self._turn = asyncio.Lock()
        self._heard = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._probes is not None

    def note(self, job_key: str, failure: Failure | None) -> None:
        """One submit's end; `failure` None: it gave a step."""
        if failure is None or failure.kind not in OUTAGE | NEUTRAL:
            return self._close()
        if job_key == self._trial:
            self._trial = None
            self._heard.set()
        if failure.kind in OUTAGE:
            self._last = failure.message
            self._row.append(job_key)
            if not self.is_open and _is_outage(self._row):
                self._probes = 0
        return None

    def forget(self, job_key: str) -> None:
        """The job was let through and never submitted (cancelled, no budget): another may try."""
        if job_key == self._trial:
            self._trial = None
            self._heard.set()

    async def closed(self, job_key: str) -> None:
        """Returns when this job may be submitted. Raises EarlyStop where the provider stays down."""
        if not self.is_open:
            return
        async with self._turn:
            while self.is_open:
                if self._trial is not None:
                    self._heard.clear()
                    await self._heard.wait()
                    continue
                if self._probes is None or self._probes >= len(WAITS):
                    raise self._outage_error()
                await self._clock.sleep(WAITS[self._probes])
                if not self.is_open:
                    return
                self._probes += 1
                if self.probe is None:
                    self._trial = job_key
                    return
                if await _answers(self.probe):
                    self._close()

    def _close(self) -> None:
        self._row.clear()
        self._probes = None
        self._trial = None
        self._heard.set()

    def _outage_error(self) -> EarlyStop:
        minutes = sum(WAITS) / 60
        return EarlyStop(
            f"the provider has been unavailable for {minutes:.0f} minutes ({self._last}); nothing "
            "more was submitted. Run again later to continue"
        )


def _is_outage(row: list[str]) -> bool:
    return len(row) >= FAILURES and len(set(row)) >= JOBS


async def _answers(probe: _Probe) -> bool:
    try:
        await probe()
    except CallFailed as end:
        return end.failure.kind not in OUTAGE
    except (OSError, TimeoutError):
        return False
    return True


_Cell: TypeAlias = tuple[str, str, Parameters]


class Refusals:
    """Remembers what the provider refused for good. Nothing here was or will be billed."""

    SUSPECT_JOBS = 2
    """A documented 500 right after a change of parameters usually means a bad parameter: so many
    different jobs that end so while another cell works refuse the cell."""
    ALONE_JOBS = 5
    """The same where no other cell has worked since, so it might be an outage."""

    def __init__(self) -> None:
        self._cells: dict[_Cell, Failure] = {}
        self._models: dict[tuple[str, str], Failure] = {}
        self._suspects: dict[_Cell, set[str]] = {}
        """Cell → keys of its jobs that ended in a 500; none of its jobs has worked."""
        self._last: dict[_Cell, Failure] = {}
        self._good: set[_Cell] = set()

    def check(self, job: Job) -> Failure | None:
        """Why `job` need not be sent, or None."""
        known = self._models.get((job.backend, job.model)) or self._cells.get(_cell(job))
        if known is None:
            return None
        return replace(known, message=f"not sent: {known.message}", request_id="", kept=b"")

    def note(self, job: Job, failure: Failure | None) -> None:
        """The final end of a job's submit, retries included; `failure` None: it gave a step."""
        cell = _cell(job)
        if failure is None:
            self._good.add(cell)
            self._suspects.pop(cell, None)
            self._convict()
        elif failure.kind is FailureKind.REFUSED_MODEL:
            self._models.setdefault((job.backend, job.model), failure)
        elif failure.kind is FailureKind.REFUSED_CELL:
            self._cells.setdefault(cell, failure)
        elif (
            failure.kind is FailureKind.UNAVAILABLE
            and failure.status == 500
            and cell not in self._good
        ):
            jobs = self._suspects.setdefault(cell, set())
            jobs.add(job.key)
            if len(jobs) >= self.ALONE_JOBS:
                self._refuse(cell, failure)
            self._last[cell] = failure

    def _convict(self) -> None:
        """The provider works for one cell, so it is not down for the others."""
        for cell, jobs in tuple(self._suspects.items()):
            if len(jobs) >= self.SUSPECT_JOBS:
                self._refuse(cell, self._last[cell])

    def _refuse(self, cell: _Cell, failure: Failure) -> None:
        self._suspects.pop(cell, None)
        message = (
            f"{failure.message}; every job with these parameters failed in this way: the provider "
            "probably refuses one of them"
        )
        self._cells[cell] = replace(
            failure, kind=FailureKind.REFUSED_CELL, message=message, billed=Billed.NO
        )


def _cell(job: Job) -> _Cell:
    return (job.backend, job.model, job.parameters)
