"""Opens what a run works with beside the state (store, limits, one part for each backend), and closes it.

Whatever an earlier process left in INTENT is unknown from here on, before a cent is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from relightflow.errors import BudgetError, UsageError
from relightflow.executors.workers import Workers
from relightflow.images import verify
from relightflow.ledger.reader import Reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.catalog import Model
from relightflow.model.image import Image
from relightflow.model.money import Micros
from relightflow.model.plan import Plan
from relightflow.model.recipe import BackendSpec, Rate
from relightflow.model.run_options import RunOptions
from relightflow.plugins.backend import Backend, HasBalance, HasServerTime
from relightflow.plugins.records import BackendRecord, OperatorPolicy
from relightflow.run.backend_run import BackendRun
from relightflow.run.balance import check_balance, shortfall
from relightflow.run.clock import Clock, RealClock
from relightflow.run.context import RunContext
from relightflow.run.counters import Counters
from relightflow.run.engine import Engine
from relightflow.run.input_cache import InputCache
from relightflow.run.jobs.active_attempt import AttemptRecorder
from relightflow.run.jobs.call_log import CallLog
from relightflow.run.jobs.collect import Collector
from relightflow.run.jobs.doubts import DoubtSettler
from relightflow.run.jobs.index_progress import IndexProgress
from relightflow.run.jobs.recovery import Recovery
from relightflow.run.jobs.remote import RemoteWork
from relightflow.run.jobs.resend import Resender
from relightflow.run.jobs.restore import BlobRestorer
from relightflow.run.jobs.submit import Submitter
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.admission import Admission
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.circuit_breaker import CircuitBreaker, Refusals
from relightflow.run.limits.guards import DiskGuard, ExpiryGuard
from relightflow.run.limits.patience import RecordsPatience
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.limits.spend import count_by_server, identity, open_budgets, priced_models
from relightflow.run.opening import OpenState, open_backend
from relightflow.run.plan_status import open_view
from relightflow.run.shared.adopt import SharedResults
from relightflow.run.shared.costs import NO_SPENDING
from relightflow.run.shared.opening import OpenStore, StoreOfModel, open_store
from relightflow.run.shutdown import Shutdown
from relightflow.store.request_bodies import RequestBodies


@asynccontextmanager
async def open_run(
    plan: Plan,
    records: Sequence[BackendRecord],
    state: OpenState,
    run_options: RunOptions,
    operator: OperatorPolicy,
    run_id: str,
    read_image: Callable[[Image], bytes],
    notice: Callable[[str], None],
    clock: Clock | None = None,
    rng: Random | None = None,
    public_url: Callable[[Image], str] = lambda image: image.url,
    elsewhere: frozenset[str] = frozenset(),
    workers: Workers | None = None,
    reader: Callable[[Image], Callable[[], bytes] | None] = lambda image: None,  # noqa: ARG005
) -> AsyncIterator[Engine]:
    """The engine of one run and all that it works with; a backend is made when a call needs it. `records`:
    of the recipe's backends, in its order.
    `elsewhere`: keys of jobs that were bought with another state. `workers`: who does what may be repeated;
    None: threads of this process. `reader`: what reads an image on a worker, see `HasReader`.

    Raises UsageError where a price is unknown and the operator gave none, or where the shared
    store's URL is none.
    """
    contexts = _contexts(plan, run_options, run_id, clock or RealClock(), rng or Random())  # noqa: S311  jitter guards nothing
    for name in dict.fromkeys(context.backend for context in contexts):
        await state.ledger.interrupted_intents(name)
    await asyncio.to_thread(_sweep_bodies, state)
    shutdown = Shutdown()
    async with AsyncExitStack() as stack:
        models = [spec.model for spec in plan.recipe.backends]
        opened = open_store(contexts, models, operator, state.ledger, shutdown, notice, run_options)
        store = await stack.enter_async_context(opened)
        if workers is None:
            workers = stack.enter_context(closing(Workers()))
        files = _Files(read_image, public_url, RemoteWork(workers, shutdown, reader))
        stores = [store.of(*of) if store else None for of in zip(contexts, models, strict=True)]
        admissions = _admissions(plan, contexts, records, state, run_options, shutdown, store)
        runs: list[BackendRun] = []
        progress = IndexProgress(state.blobs, state.state_dir.blobs, state.ledger)
        short = _once(partial(
            shortfall, plan, state.state_dir, run_options, [a.budget for a in admissions],
            partial(open_view, plan.recipe, operator),
        ))  # fmt: skip
        for number, record in enumerate(records):
            parts = _Parts(
                plan, number, record, state, run_options, operator, notice, store, files, short
            )
            own = stores[number]
            admission = replace(admissions[number], claims=own.claims if own else None)
            runs.append(await parts.open(stack, admission, own, progress, elsewhere))
        counters = admissions[0].counters
        yield Engine(tuple(runs), state.ledger, state.state_dir.blobs, shutdown, counters)


def _contexts(
    plan: Plan, run_options: RunOptions, run_id: str, clock: Clock, rng: Random
) -> list[RunContext]:
    """One for each of the recipe's backends."""
    recipe = plan.recipe
    return [
        RunContext(
            run_id,
            recipe.name,
            spec.type,
            _price(spec.model, run_options),
            recipe.limits_of(spec),
            clock,
            rng,
            run_options.plan_sha256,
            spec.model.price.low if spec.model.price else None,
            spec.model.by_size,
        )
        for spec in recipe.backends
    ]


def _sweep_bodies(state: OpenState) -> None:
    """Only calls whose outcome is open can ever be sent again. Blocks."""
    doubtful = (State.INTENT, State.UNKNOWN)
    left = state.reader.open_attempts()
    needed = {attempt.uuid for attempt in left if attempt.state in doubtful}
    RequestBodies(state.state_dir.calls).sweep(needed)


async def _ask_account(
    backend: Backend,
    plan: Plan,
    spec: BackendSpec,
    state: OpenState,
    run_options: RunOptions,
    admission: Admission,
    shortfall: Callable[[], str],
    notice: Callable[[str], None],
) -> None:
    """What the account holds, and the provider's time; and where a limit ends the run early, say so."""
    asks = bool(admission.context.price) and not run_options.collect_only
    answered = True
    if isinstance(backend, HasBalance):
        admission.circuit_breaker.probe = backend.balance
        if asks:
            budget = admission.budget
            balance = await check_balance(backend, plan, spec, state.state_dir, budget, notice)
            answered = balance is not None
            if not plan.recipe.more_backends:
                admission.counters.balance = balance
    now = backend.server_time() if isinstance(backend, HasServerTime) else None
    if answered and now is not None:  # a proxy's page tells the proxy's time
        count_by_server(admission.budget, now)
    if asks and (told := await asyncio.to_thread(shortfall)):
        notice(told)


def _once(say: Callable[[], str]) -> Callable[[], str]:
    """Says it the first time, and nothing later."""
    left = [say]
    return lambda: left.pop()() if left else ""


def _admissions(
    plan: Plan,
    contexts: Sequence[RunContext],
    records: Sequence[BackendRecord],
    state: OpenState,
    run_options: RunOptions,
    shutdown: Shutdown,
    store: OpenStore | None,
) -> list[Admission]:
    """The limits of the run for each backend, with the budget as earlier runs left it. Models of one backend
    have one account there, so one rate limit and one circuit breaker."""
    budgets = _budgets(plan, contexts, state.reader, run_options, store)
    if store and store.reservation:
        store.reservation.begin(budgets[0], store.spending)
    first, several = contexts[0], len(contexts) > 1
    limiters: dict[str, RateLimiter] = {}
    for context in contexts:
        same = [c for c in contexts if c.backend == context.backend]
        rate = _lowest(c.limits.rate for c in same)
        if (any(c.price for c in same) or rate) and context.backend not in limiters:
            limiters[context.backend] = RateLimiter(context.clock, rate, context.rng)
    breakers = {c.backend: CircuitBreaker(c.clock) for c in contexts}
    guards = {r.name: ExpiryGuard(first.clock, r.keeps_requests) for r in records}
    counters = Counters(
        plan.jobs_count, budgets[0], first.clock, partial(_by_rate, tuple(limiters.values()))
    )
    disk_guard, call_ended = DiskGuard(state.state_dir.blobs), asyncio.Event()
    return [
        Admission(
            context=context,
            budget=budget,
            rate_limiter=limiters.get(context.backend),
            circuit_breaker=breakers[context.backend],
            refusals=Refusals(),
            expiry_guard=guards[context.backend],
            disk_guard=disk_guard,
            counters=counters,
            shutdown=Shutdown(shutdown, spec.name) if several else shutdown,
            lock=state.lock,
            call_ended=call_ended,
        )
        for context, budget, spec in zip(contexts, budgets, plan.recipe.backends, strict=True)
    ]


def _lowest(rates: Iterable[Rate | None]) -> Rate | None:
    """The one that lets the fewest calls leave; None: there is none."""
    found = [rate for rate in rates if rate is not None]
    return min(found, key=lambda rate: rate.calls / rate.seconds, default=None)


def _by_rate(limiters: Sequence[RateLimiter], calls: int) -> float:
    """Seconds that the rate limits take to let so many calls leave, a like number through each."""
    each = -(-calls // max(1, len(limiters)))
    return max((limiter.seconds_for(each) for limiter in limiters), default=0.0)


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the bytes of input images come from."""

    read: Callable[[Image], bytes]
    public_url: Callable[[Image], str]
    remote: RemoteWork


@dataclass(frozen=True, slots=True)
class _Parts:
    """What one backend's part of a run is made of."""

    plan: Plan
    number: int
    """Place of the backend in the recipe."""
    record: BackendRecord
    state: OpenState
    run_options: RunOptions
    operator: OperatorPolicy
    notice: Callable[[str], None]
    store: OpenStore | None
    files: _Files
    shortfall: Callable[[], str]
    """Says once where a limit ends the run early."""

    def _is_mine(self, attempt: Attempt) -> bool:
        """Whether this part settles and collects an earlier attempt of its backend: those of its own model,
        and of models that the recipe does not have where it is the first of the backend that is paid for."""
        specs = self.plan.recipe.backends
        own, made = specs[self.number].pair, (attempt.backend, attempt.model)
        pairs = [spec.pair for spec in sorted(specs, key=lambda spec: spec.free)]
        first = next(pair for pair in pairs if pair[0] == own[0])
        return made == own or (own == first and made not in pairs)

    async def open(
        self,
        stack: AsyncExitStack,
        admission: Admission,
        store: StoreOfModel | None,
        progress: IndexProgress,
        elsewhere: frozenset[str],
    ) -> BackendRun:
        """The part; `stack` closes it."""
        spec, context = self.plan.recipe.backends[self.number], admission.context

        async def on_open(backend: Backend) -> None:
            await _ask_account(
                backend, self.plan, spec, self.state, self.run_options, admission, self.shortfall, self.notice,
            )  # fmt: skip

        pool = self.files.remote.workers.pool
        opened = open_backend(
            self.record, spec.model, spec.options, self.state, self.operator, self.notice, on_open,
            pool,
        )  # fmt: skip
        backend = await stack.enter_async_context(opened)
        paid = not spec.free
        inputs = InputCache(
            backend, self.files.read, self.files.public_url, verify=verify if paid else None,
            remote=self.files.remote,
        )  # fmt: skip
        stack.push_async_callback(inputs.close)
        run = self._run(context, admission, backend, inputs, store, progress)
        return replace(run, elsewhere=elsewhere)

    def _run(
        self,
        context: RunContext,
        admission: Admission,
        backend: LazyBackend,
        inputs: InputCache,
        store: StoreOfModel | None,
        progress: IndexProgress,
    ) -> BackendRun:
        state, record, remote = self.state, self.record, self.files.remote
        ledger, blobs, folder = state.ledger, state.blobs, state.state_dir.blobs
        budget, shutdown = admission.budget, admission.shutdown
        client = store.client if store else None
        buying = store.buying if store else None
        log = CallLog(context, blobs, buying)
        recorder = AttemptRecorder(
            context, ledger, budget, admission.counters, shutdown, log, progress
        )
        collector = Collector(
            context, backend, ledger, blobs, admission, recorder, log, shutdown, remote,
            record.keeps_requests, record.keeps_results,
        )  # fmt: skip
        bodies = RequestBodies(state.state_dir.calls)
        resender = Resender(
            record.settlement, bodies, context.clock, context.rng, admission.rate_limiter,
            shutdown.collecting, store.claims if store else None, budget,
        )  # fmt: skip
        doubts = DoubtSettler(
            backend, context.backend, ledger, budget,
            lambda: RecordsPatience(
                context.clock, context.rng, self.notice, admission.rate_limiter
            ),
            self.notice, shutdown.collecting, record.settlement,
            None if self.run_options.collect_only else resender, buying,
            recorder.book, self._is_mine,
        )  # fmt: skip
        shared = None
        if store and self.store:
            shared = SharedResults(
                context, store.client, ledger, blobs, folder, collector, recorder, store.claims,
                store.patience, dict(self.store.spending.claimed),
            )  # fmt: skip
        return BackendRun(
            context=context,
            model=self.plan.recipe.backends[self.number].pair,
            backend=backend,
            blobs_path=folder,
            submitter=Submitter(
                context, backend, inputs, ledger, admission, recorder, collector, shutdown, bodies,
                remote, buying,
            ),
            restorer=BlobRestorer(context, backend, inputs, ledger.path, blobs, folder, client),
            recovery=Recovery(
                context, ledger, folder, budget, doubts, collector, shutdown, self._is_mine
            ),
            recorder=recorder,
            shared=shared,
        )  # fmt: skip


def _price(model: Model, run_options: RunOptions) -> Micros:
    """The highest price of one call."""
    if model.price is not None:
        return model.price.high
    if not run_options.price:  # 0 would make it free, which no limit holds
        raise UsageError(
            f"the price of model '{model.name}' is unknown, so nothing was sent. "
            "Set the highest price of a call with --price USD"
        )
    return run_options.price


def _budgets(
    plan: Plan,
    contexts: Sequence[RunContext],
    reader: Reader,
    run_options: RunOptions,
    store: OpenStore | None,
) -> tuple[Budget, ...]:
    """The budgets go on where all earlier runs left them. Raises BudgetError without any limit."""
    paid = any(context.price for context in contexts)
    if paid and not run_options.limits and not run_options.collect_only:
        raise BudgetError(
            "a paid run needs a cap or a budget; nothing was sent. Set limits.max_cost"
        )
    return open_budgets(
        reader,
        identity(plan.recipe),
        run_options.limits,
        priced_models(plan.recipe, run_options),
        contexts[0].clock.wall(),
        store.spending if store else NO_SPENDING,
    )
