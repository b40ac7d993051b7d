"""One run's rooms, opened in their order and closed in reverse, and everybody who is told how it goes.

So that `pipeline.run` can say the flow and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field

from relightflow.deliver.complete import Completion, Pass
from relightflow.deliver.journal import MANIFEST, Journal, write_summary
from relightflow.deliver.place import places
from relightflow.deliver.stream import Desk, opened_desk
from relightflow.model.outcome import Outcome
from relightflow.model.plan import Plan
from relightflow.model.summary import Summary
from relightflow.model.terms import Terms
from relightflow.model.watch import Watch
from relightflow.plugins.opening import Sources, opened_sources
from relightflow.plugins.records import Operator
from relightflow.plugins.registry import Registry
from relightflow.report import json
from relightflow.report.troubles import Troubles
from relightflow.run.bench import Bench
from relightflow.run.interrupt import deadline, heeding_signals
from relightflow.run.setup import opened, sharing, workbench
from relightflow.store.home import Home
from relightflow.summarise import summarise


@dataclass(frozen=True, slots=True)
class Shift:
    plan: Plan
    registry: Registry
    terms: Terms
    watch: Watch
    bench: Bench
    desk: Desk
    sources: Sources
    journal: Journal
    troubles: Troubles = field(default_factory=Troubles)

    async def begin(self) -> None:
        """The run is written down, and everybody is told."""
        recipe, run_id = self.plan.recipe, self.bench.run_id
        await self.bench.ledger.run_started(run_id, recipe.name)
        self.watch.on_start(self.bench.board.snapshot)
        jobs = self.plan.jobs_count
        self._notify("relightflow_run_started", recipe=recipe, run_id=run_id, jobs=jobs)

    def hear(self, outcome: Outcome) -> None:
        """One job has ended."""
        self.troubles.outcome(outcome)
        self.journal.outcome(outcome)
        self.watch.on_outcome(outcome)
        self._notify("relightflow_job_finished", run_id=self.bench.run_id, outcome=outcome)

    @property
    def last_pass(self) -> Pass:
        """What completes the delivery, once all outcomes are in."""
        read, standing = self.sources.read, self.troubles.standing
        return Pass(self.plan, self.desk, self.journal.folder, read, standing)

    async def end(self, completion: Completion) -> Summary:
        """What it all came to, written down and told."""
        await asyncio.to_thread(self.journal.share_manifest)
        manifest = str(self.journal.folder / MANIFEST)
        summary = summarise(
            self.plan, self.bench, self.desk, completion, self.troubles, self.terms, manifest
        )
        await asyncio.to_thread(write_summary, self.journal.folder, json.summary(summary))
        goes_on = self.bench.free or self.terms.collect_only or summary.resumable
        await self.bench.ledger.run_ended(self.bench.run_id, summary.exit, goes_on)
        facts = {"run_id": self.bench.run_id, "exit_code": summary.exit}
        self._notify("relightflow_run_finished", **facts)
        return summary

    def _notify(self, hook: str, **facts: object) -> None:
        """Tell the plugins; one that raises is named once and costs only itself."""
        for warning in self.registry.notify(hook, **facts):
            self.watch.on_notice(warning)


@asynccontextmanager
async def opened_shift(
    plan: Plan, registry: Registry, home: Home, terms: Terms, operator: Operator, watch: Watch
) -> AsyncIterator[Shift]:
    """Lock, ledger, store, sources, sinks, backend; and signals are heeded until all is closed.

    Raises EarlyStop (another run holds the lock), StorageError, UsageError, InvalidRecipe.
    """
    recipe = plan.recipe
    run_id = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(3)
    async with AsyncExitStack() as stack:
        state = stack.enter_context(opened(home, f"relightflow run, process {os.getpid()},"))
        sources = stack.enter_context(opened_sources(recipe, registry, operator, home.cache))
        await asyncio.to_thread(sources.remember, plan.images)
        at = places(recipe, registry, operator)
        desk = stack.enter_context(opened_desk(at, state.ledger, home, terms.overwrite))
        journal = stack.enter_context(closing(Journal(home.runs / run_id)))
        record = registry.backend(recipe.backend.type)
        laid_out = workbench(
            plan, record, state, terms, operator, run_id,
            sources.read, watch.on_notice, public_url=sources.public_url,
        )  # fmt: skip
        bench = await stack.enter_async_context(laid_out)
        bench = await stack.enter_async_context(sharing(bench, operator, watch.on_notice))
        stack.enter_context(heeding_signals(bench.brake, state.ledger.close))
        stack.enter_context(deadline(bench.brake, terms.stop_after, recipe.backend.model))
        yield Shift(plan, registry, terms, watch, bench, desk, sources, journal)
