"""One run from the lock to the summary: what it opened, and who is told how it goes."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace

from relightflow.checks.measuring import ImageReader
from relightflow.checks.runner import Checker, open_checks
from relightflow.deliver.finalize import FinalPass
from relightflow.deliver.input_metadata import InputMetadata
from relightflow.deliver.run_folder import MANIFEST, RunFolder
from relightflow.deliver.stream import DeliveryContext, open_delivery
from relightflow.deliver.target import SinkTarget, open_targets
from relightflow.errors import RefusedError
from relightflow.executors.workers import Workers, open_workers
from relightflow.ledger.rows import JobState
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.catalog import Model
from relightflow.model.check import CheckResult
from relightflow.model.job import Output
from relightflow.model.outcome import Outcome, Result
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.model.restoration import Restoration
from relightflow.model.run_options import RunOptions
from relightflow.model.summary import Summary
from relightflow.plugins.opening import Sources, open_sources
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.run.elsewhere import bought_elsewhere
from relightflow.run.engine import Engine
from relightflow.run.issues import IssueLog, counted_jobs
from relightflow.run.limits.spend import identity
from relightflow.run.opening import OpenState, open_state
from relightflow.run.retries import Lost, lost_retries, without
from relightflow.run.run_opening import open_run
from relightflow.run.sharding import claim, with_shares
from relightflow.run.signals import deadline, handle_signals
from relightflow.run.summarize import summarize
from relightflow.run.uncollected import uncollected
from relightflow.run.unkept import unkept
from relightflow.store.state_dir import StateDir


class Notices:
    """What is worth saying once: shown as it comes, and kept for the summary."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._seen: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Each text is shown every time and kept once."""
        self._seen[text] = None
        self._show(text)

    def add_unless_empty(self, *texts: str) -> None:
        for text in texts:
            if text:
                self.add(text)

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(self._seen)


@dataclass(frozen=True, slots=True)
class _RunSession:
    plan: Plan
    registry: Registry
    run_options: RunOptions
    callbacks: RunCallbacks
    engine: Engine
    delivery: DeliveryContext
    sources: Sources
    folder: RunFolder
    notices: Notices
    checker: Checker
    workers: Workers
    issues: IssueLog
    _lost: Lost = field(default_factory=dict)
    """Retries without a result, once all outcomes are in."""

    async def begin(self) -> None:
        """The run is written down, and everybody is told."""
        recipe, run_id = self.plan.recipe, self.engine.context.run_id
        plan_sha256 = self.run_options.plan_sha256
        await self.engine.ledger.run_started(run_id, *identity(recipe), plan_sha256)
        self.callbacks.on_start(self.engine.counters.snapshot)
        jobs = self.plan.jobs_count
        self._notify("relightflow_run_started", recipe=recipe, run_id=run_id, jobs=jobs)

    def record(self, outcome: Outcome) -> None:
        """One job has ended."""
        self.issues.outcome(outcome)
        self.folder.outcome(outcome)
        self.callbacks.on_outcome(outcome)
        self._notify("relightflow_job_finished", run_id=self.engine.context.run_id, outcome=outcome)

    @property
    def final_pass(self) -> FinalPass:
        """What completes the delivery, once all outcomes are in."""
        return FinalPass(
            without(self.plan, self._lost).described,
            replace(self.delivery, reader=self.engine.states or self.delivery.reader),
            self.folder.path,
            self.sources.read,
            self._job_state,
            self._verdicts if self.checker else None,
            self.issues.checks,
        )

    def _job_state(self, output: Output, job_state: JobState | None) -> None:
        """What became of a retry is told, and not of the result whose place it did not take."""
        if self._lost:
            output, job_state = self._lost.get(output.job.key, (output, job_state))
        self.issues.job_state(output, job_state)

    async def settle_retries(self) -> None:
        """A retry with a result has taken its place from now on, in every later run."""
        self._lost.update(lost_retries(self.plan, self.delivery.reader))
        noted = self.delivery.reader.retries()
        for key, repeat in self.plan.retries.items():
            if key not in self._lost and noted.get(key) != repeat:
                await self.engine.ledger.retried(key, repeat)

    def _verdicts(
        self, results: Iterator[tuple[Output, Result | None]]
    ) -> Iterator[Sequence[CheckResult]]:
        """A run that is interrupted checks nothing more; the next run does."""
        images = ImageReader(
            self.delivery.read, self.sources.read, self.delivery.cache, self.sources.reader
        )
        shutdown = self.engine.shutdown
        return self.checker.verdicts(results, images, lambda: shutdown.draining, self.workers)

    async def end(self) -> Summary:
        """What it all came to, written down and told."""
        await asyncio.to_thread(self.folder.share_manifest)
        manifest = str(self.folder.path / MANIFEST)
        summary = summarize(
            self.plan,
            self.engine,
            self.delivery,
            self.issues,
            self.run_options,
            manifest,
            self.notices.seen,
        )
        await self.engine.ledger.run_ended(self.engine.context.run_id, summary.exit)
        facts = {"run_id": self.engine.context.run_id, "exit_code": summary.exit}
        self._notify("relightflow_run_finished", **facts)
        return summary

    def _notify(self, hook: str, **facts: object) -> None:
        """Tell the plugins; one that raises is named once and costs only itself."""
        for warning in self.registry.notify(hook, **facts):
            self.notices.add(warning)


def _elsewhere(
    plan: Plan,
    state: OpenState,
    targets: Sequence[SinkTarget],
    run_options: RunOptions,
    has_shared: bool,
) -> frozenset[str]:
    """Jobs that were bought with another state, and that only a shared store may give. Blocks.

    Raises RefusedError where there is none: nothing is sent then.
    """
    if run_options.buy_again or run_options.collect_only:
        return frozenset()
    found = bought_elsewhere(plan, state.reader, targets, state.state_dir)
    if found and not (has_shared and found.claims):
        raise RefusedError(found.message(plan))
    return frozenset(found.claims)


def _as_shard(plan: Plan, run_options: RunOptions, state_dir: StateDir) -> RunOptions:
    """The options of a shard, once the state is known to be its own. Raises RefusedError."""
    claim(plan, state_dir)
    return with_shares(plan, run_options, state_dir)


def _restored(found: Restoration) -> str:
    """What to say of it; empty where nothing was."""
    words = (
        f"the ledger was older than the blob store: restored {found}; nothing was bought for that"
    )
    return words if found else ""


def _slowest(recipe: Recipe) -> Model:
    """The model whose calls take longest."""
    models = [spec.model for spec in recipe.backends]
    return max(models, key=lambda model: model.typical_seconds or 0.0)


@asynccontextmanager
async def open_session(
    plan: Plan,
    registry: Registry,
    state_dir: StateDir,
    run_options: RunOptions,
    operator: OperatorPolicy,
    callbacks: RunCallbacks,
) -> AsyncIterator[_RunSession]:
    """Lock, ledger, store, sources, sinks, backend; and signals are heeded until all is closed.

    Raises EarlyStop (another run holds the lock), StorageError, UsageError, InvalidRecipe.
    """
    recipe = plan.recipe
    checker = open_checks(recipe, registry)
    run_id = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(3)
    async with AsyncExitStack() as stack:
        state = stack.enter_context(
            open_state(
                state_dir,
                f"relightflow run, process {os.getpid()},",
                durable=not recipe.free,
            )
        )
        run_options = await asyncio.to_thread(_as_shard, plan, run_options, state_dir)
        sources = stack.enter_context(open_sources(recipe, registry, operator, state_dir.cache))
        await asyncio.to_thread(sources.remember, plan.described.images)
        notices = Notices(callbacks.on_notice)
        workers = stack.enter_context(
            open_workers(registry, run_options, state_dir.blobs, notices.add)
        )
        at = open_targets(recipe, registry, operator)
        records = [registry.backend(spec.type) for spec in recipe.backends]
        inputs = InputMetadata(sources.read, {r.name for r in records if r.srgb})
        delivery = stack.enter_context(open_delivery(
            at, state.ledger, state_dir, run_options.overwrite, inputs, state.blobs.recent, workers
        ))  # fmt: skip
        if plan.shard:
            delivery = replace(delivery, targets=())  # they are filled once all shards are united
        folder = stack.enter_context(closing(RunFolder(state_dir.runs / run_id)))
        if not run_options.collect_only:
            notices.add_unless_empty(unkept(plan, state_dir, operator, os.environ))
        notices.add_unless_empty(_restored(state.restoration), uncollected(recipe, state.reader))
        elsewhere = await asyncio.to_thread(
            _elsewhere, plan, state, at, run_options, bool(operator.store)
        )
        opened = open_run(
            plan, records, state, run_options, operator, run_id,
            sources.read, notices.add, public_url=sources.public_url, elsewhere=elsewhere,
            workers=workers, reader=sources.reader,
        )  # fmt: skip
        engine = replace(await stack.enter_async_context(opened), states=state.reader)
        shutdown = engine.shutdown
        stack.enter_context(handle_signals(shutdown, state.ledger.close))
        stack.enter_context(deadline(shutdown, run_options.stop_after, _slowest(recipe)))
        issues = IssueLog(await asyncio.to_thread(counted_jobs, plan))
        yield _RunSession(
            plan, registry, run_options, callbacks, engine, delivery, sources, folder, notices,
            checker, workers, issues,
        )  # fmt: skip
