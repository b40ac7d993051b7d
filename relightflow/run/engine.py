"""Plan → a stream of outcomes: recovery first, then every job that is not in place yet.

A recipe with several backends has a `BackendRun` for each; they work side by side, each at its own pace,
and what concerns all of them (doubts at the end, a shutdown) waits until all have gone through the plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from relightflow.core.merged import merged
from relightflow.errors import AccountError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.outcome import Outcome
from relightflow.model.plan import Plan
from relightflow.model.summary import Issue
from relightflow.run.actions import models_with_work
from relightflow.run.backend_run import BackendRun
from relightflow.run.context import RunContext
from relightflow.run.counters import Counters
from relightflow.run.jobs.doubts import DoubtsSettled
from relightflow.run.limits.budget import Budget
from relightflow.run.shutdown import Shutdown


@dataclass(frozen=True, slots=True)
class Engine:
    """Has each job of a plan done by the backend that it is for."""

    backends: tuple[BackendRun, ...]
    """In the recipe's order; at least one."""
    ledger: Ledger
    blobs_path: Path
    shutdown: Shutdown
    """Of the whole run."""
    counters: Counters
    states: Reader | None = None
    """Reads how the jobs stand, and may remember it for what comes after; None: one of our own."""

    @property
    def context(self) -> RunContext:
        """Of the first backend; run id, recipe and clock are those of all."""
        return self.backends[0].context

    @property
    def budget(self) -> Budget:
        """Of the first backend; its accounts are those of all."""
        return self.backends[0].recorder.budget

    async def run(
        self, plan: Plan, submit: bool = True, wait: bool = False
    ) -> AsyncGenerator[Outcome]:
        """Every job that had to be touched, as it finishes; what is in place is only counted.

        `submit` False: nothing is bought, only fetched, from the provider and from the shared store. `wait`: until the provider's records have
        settled every unknown outcome that time alone settles; what they prove unbilled is bought.
        Ends early where the run is shut down; what is left then is not in the stream. Raises AccountError
        where a key is missing or refused, before anything is bought; of several backends all are named,
        and what was bought of those whose key is good is fetched first, since providers forget.
        """
        refused = ""
        if submit and len(self.backends) > 1:
            refused = await self._open_needed(plan)
        recovered: dict[str, Outcome] = {}
        asks: dict[tuple[str, str], bool] = {}
        begun = [self._recover(run, submit, asks, bool(refused)) for run in self.backends]
        async with aclosing(merged(begun)) as outcomes:
            async for outcome in outcomes:
                recovered[outcome.job.key] = outcome
        if refused:
            raise AccountError(refused)
        states = self.states if len(self.backends) == 1 else None  # it is for one at a time
        passes = [run.go_through(plan, submit, recovered, states) for run in self.backends]
        async with aclosing(merged(passes)) as outcomes:
            async for outcome in outcomes:
                self.counters.count(outcome)
                yield outcome
        for run in self._one_for_each():
            await run.recovery.hold_unanswered()
        if self.shutdown.draining:
            return
        left = [run for run in self.backends if asks[run.model]]
        async with aclosing(
            merged([self._settle(run, plan, submit, wait) for run in left])
        ) as late:
            async for outcome in late:
                yield outcome

    def _one_for_each(self) -> list[BackendRun]:
        """Of models of one backend the first that is paid for, since what is free neither asks the shared
        store nor tells it anything; else the first."""
        found: dict[str, BackendRun] = {}
        for run in sorted(self.backends, key=lambda run: run.context.free):
            found.setdefault(run.context.backend, run)
        return list(found.values())

    async def _open_needed(self, plan: Plan) -> str:
        """Every backend that has something to do, before anything is sent. Gives the words of all keys that
        are missing or refused; empty: none is."""
        needed = await asyncio.to_thread(models_with_work, plan, self.ledger.path, self.blobs_path)
        runs = [run for run in self.backends if run.model in needed]
        found = await asyncio.gather(*(run.backend.get() for run in runs), return_exceptions=True)
        refused = [error for error in found if isinstance(error, AccountError)]
        for error in found:
            if isinstance(error, BaseException) and not isinstance(error, AccountError):
                raise error
        return "; ".join(dict.fromkeys(map(str, refused)))

    async def _recover(
        self, run: BackendRun, submit: bool, asks: dict[tuple[str, str], bool], fetch_only: bool
    ) -> AsyncGenerator[Outcome]:
        """What earlier processes left of one model. `asks`: model → whether its backend can be asked.
        `fetch_only`: no call is sent again under its name, which may make it now."""
        asks[run.model] = True
        try:
            if run.shared and any(run is one for one in self._one_for_each()):
                await run.shared.settle()
            recovery = run.recovery
            async for outcome in recovery.collect() if fetch_only else recovery.recover():
                yield outcome
        except AccountError as problem:
            if submit and len(self.backends) == 1:
                raise
            asks[run.model] = False  # what is stored is delivered without a key
            run.recorder.shutdown.stop_new(Issue(problem.exit_code, str(problem)))

    async def _settle(
        self, run: BackendRun, plan: Plan, submit: bool, wait: bool
    ) -> AsyncGenerator[Outcome]:
        """What is still in doubt of one backend, once nothing of the run is in flight any more."""
        settled = await run.recovery.settle(every=False)
        async with aclosing(self._late(run, plan, submit and wait, settled)) as outcomes:
            async for outcome in outcomes:
                yield outcome
        if not wait:
            return
        async with aclosing(run.recovery.keep_asking(settled)) as looks:
            async for settled in looks:
                async with aclosing(self._late(run, plan, submit, settled)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome

    async def _late(
        self, run: BackendRun, plan: Plan, submit: bool, settled: DoubtsSettled
    ) -> AsyncGenerator[Outcome]:
        """What turned out to have been taken is fetched in the same run. `submit`: what turned out not
        to have been taken is bought."""
        if settled.adopted:
            with open_reader(self.ledger.path) as notes:
                async for outcome in run.recovery.collect():
                    self.counters.count_late(outcome)
                    if run.shared and outcome.result:
                        # with its claim in the store, nobody else would ever get it
                        run.shared.publish_if_missing(
                            notes, outcome.job, outcome.attempt, outcome.result
                        )
        if settled.absent and submit:
            async with aclosing(run.go_through(plan, submit, {}, None, late=True)) as outcomes:
                async for outcome in outcomes:
                    self.counters.count_late(outcome)
                    yield outcome
