"""Opens what a run works with, in order (lock, ledger, store, limits, backend), and closes it.

Whatever an earlier process left in INTENT is unknown from here on, before a cent is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

from relightflow.errors import BudgetError, StorageError, UsageError
from relightflow.executors.workers import Workers
from relightflow.images import verify
from relightflow.ledger import lock
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.lock import HeldLock
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.attempt import State
from relightflow.model.catalog import Model, Price
from relightflow.model.image import Image
from relightflow.model.money import Micros
from relightflow.model.plan import Plan
from relightflow.model.restoration import Restoration
from relightflow.model.run_options import RunOptions
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, HasBalance, HasServerTime
from relightflow.plugins.executor import Executor
from relightflow.plugins.records import BackendContext, BackendRecord, OperatorPolicy
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
from relightflow.run.limits.spend import count_by_server, identity, open_budget
from relightflow.run.plan_status import check_ledger_present, open_view
from relightflow.run.restoring import restore
from relightflow.run.shared.adopt import SharedResults
from relightflow.run.shared.costs import NO_SPENDING, StoreSpending
from relightflow.run.shared.opening import OpenStore, open_store
from relightflow.run.shutdown import Shutdown
from relightflow.store import blobs
from relightflow.store.blobs import BlobStore
from relightflow.store.request_bodies import RequestBodies
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class OpenState:
    """The state folder, opened for writing by this process alone."""

    ledger: Ledger
    blobs: BlobStore
    state_dir: StateDir
    lock: HeldLock
    restoration: Restoration
    """What the ledger had lost and the blob store still knew."""


@contextmanager
def open_state(state_dir: StateDir, who: str, *, durable: bool = True) -> Iterator[OpenState]:
    """The state, with the ledger brought to what the blob store knows. `durable`: False where
    nothing that costs money is done, so that a power cut may take back what was last made.

    Raises EarlyStop where another run holds the lock, StorageError where the ledger is no good.
    """
    state_dir.create()
    with lock.acquire(state_dir.lock, who) as held:
        check_ledger_present(state_dir)
        blobs.sweep(state_dir.blobs)
        ledger = Ledger(state_dir.ledger, durable=durable)
        store = BlobStore(state_dir.blobs, durable=durable)
        try:
            yield OpenState(ledger, store, state_dir, held, restore(state_dir.blobs, ledger))
        finally:
            store.close()
            # a second signal may have closed the ledger already
            with suppress(StorageError, RuntimeError):
                restore(state_dir.blobs, ledger)  # so that the next run has nothing to compare
            ledger.close()


class _LedgerMemory:
    """A backend's notes, kept in the ledger."""

    def __init__(self, backend: str, ledger: Ledger, reader: Reader) -> None:
        self._backend = backend
        self._ledger = ledger
        self._reader = reader

    def recall(self, key: str) -> str | None:
        return self._reader.recall(self._backend, key)

    async def remember(self, key: str, value: str) -> None:
        await self._ledger.remember(self._backend, key, value)

    async def forget(self, key: str) -> None:
        await self._ledger.remember(self._backend, key, None)


async def _nothing(_: Backend) -> None:
    return None


@asynccontextmanager
async def open_backend(
    record: BackendRecord,
    model: Model,
    options: FrozenMap,
    state: OpenState,
    operator: OperatorPolicy,
    notice: Callable[[str], None],
    on_open: Callable[[Backend], Awaitable[None]] = _nothing,
    pool: Executor | None = None,
) -> AsyncIterator[LazyBackend]:
    """The backend, made when it is first needed, and closed at the end. `pool`: for its heavy work."""
    with open_reader(state.state_dir.ledger) as reader:
        memory = _LedgerMemory(record.name, state.ledger, reader)
        context = BackendContext(model, options, memory, notice, operator, pool)
        backend = LazyBackend(lambda: record.make(context), on_open)
        try:
            yield backend
        finally:
            await backend.close()


@asynccontextmanager
async def open_run(
    plan: Plan,
    record: BackendRecord,
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
    """The engine of one run and all that it works with; the backend is made when a call needs it.
    `elsewhere`: keys of jobs that were bought with another state. `workers`: who does what may be repeated;
    None: threads of this process. `reader`: what reads an image on a worker, see `HasReader`.

    Raises UsageError where the price is unknown and the operator gave none, or where the shared
    store's URL is none.
    """
    spec, price = plan.recipe.backend, _price(plan, run_options)
    context = RunContext(
        run_id, plan.recipe.name, record.name, price, plan.recipe.limits,
        clock or RealClock(), rng or Random(),  # noqa: S311  jitter guards nothing
        run_options.plan_sha256,
    )  # fmt: skip
    await state.ledger.interrupted_intents(record.name)
    await asyncio.to_thread(_sweep_bodies, state.state_dir)
    shutdown = Shutdown()

    async def on_open(backend: Backend) -> None:
        await _ask_account(backend, plan, state, run_options, operator, admission, notice)

    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(
            open_store(context, operator, state.ledger, shutdown, notice, spec.model, run_options)
        )
        admission = _admission(plan, context, state, run_options, record, shutdown, shared)
        if workers is None:
            workers = stack.enter_context(closing(Workers()))
        remote = RemoteWork(workers, admission.shutdown, reader)
        backend = await stack.enter_async_context(
            open_backend(
                record, spec.model, spec.options, state, operator, notice, on_open, workers.pool
            )
        )
        paid = not (spec.model.price and spec.model.price.free)
        inputs = InputCache(
            backend, read_image, public_url, verify=verify if paid else None, remote=remote
        )
        stack.push_async_callback(inputs.close)
        engine = _engine(
            context, state, admission, backend, inputs, shared, record, notice, remote,
            may_send=not run_options.collect_only,
        )  # fmt: skip
        yield replace(engine, elsewhere=elsewhere)


def _sweep_bodies(state_dir: StateDir) -> None:
    """Only calls whose outcome is open can ever be sent again. Blocks."""
    with open_reader(state_dir.ledger) as reader:
        doubtful = (State.INTENT, State.UNKNOWN)
        needed = {attempt.uuid for attempt in reader.open_attempts() if attempt.state in doubtful}
    RequestBodies(state_dir.calls).sweep(needed)


async def _ask_account(
    backend: Backend,
    plan: Plan,
    state: OpenState,
    run_options: RunOptions,
    operator: OperatorPolicy,
    admission: Admission,
    notice: Callable[[str], None],
) -> None:
    """What the account holds, and the provider's time; and where a limit ends the run early, say so."""
    asks = bool(admission.context.price) and not run_options.collect_only
    answered = True
    if isinstance(backend, HasBalance):
        admission.circuit_breaker.probe = backend.balance
        if asks:
            balance = await check_balance(backend, plan, state.state_dir, admission.budget, notice)
            admission.counters.balance, answered = balance, balance is not None
    now = backend.server_time() if isinstance(backend, HasServerTime) else None
    if answered and now is not None:  # a proxy's page tells the proxy's time
        count_by_server(admission.budget, now)
    view = partial(open_view, plan.recipe, operator)
    found = partial(shortfall, plan, state.state_dir, run_options, admission.budget, view)
    if asks and (told := await asyncio.to_thread(found)):
        notice(told)


def _admission(
    plan: Plan,
    context: RunContext,
    state: OpenState,
    run_options: RunOptions,
    record: BackendRecord,
    shutdown: Shutdown,
    store: OpenStore | None,
) -> Admission:
    """The limits of the run, with the budget as earlier runs left it."""
    clock, rate = context.clock, context.limits.rate
    limiter = RateLimiter(clock, rate, context.rng) if context.price or rate else None
    spending = store.spending if store else NO_SPENDING
    budget = _budget(plan, context, state.state_dir.ledger, run_options, spending)
    reservation = store.claims.reservation if store else None
    if reservation:
        reservation.begin(budget, spending)
    by_rate = limiter.seconds_for if limiter else lambda _: 0.0
    return Admission(
        context=context,
        budget=budget,
        rate_limiter=limiter,
        circuit_breaker=CircuitBreaker(clock),
        refusals=Refusals(),
        expiry_guard=ExpiryGuard(clock, record.keeps_requests),
        disk_guard=DiskGuard(state.state_dir.blobs),
        counters=Counters(plan.jobs_count, budget, clock, by_rate),
        shutdown=shutdown,
        lock=state.lock,
        claims=store.claims if store else None,
    )


def _engine(
    context: RunContext,
    state: OpenState,
    admission: Admission,
    backend: LazyBackend,
    inputs: InputCache,
    store: OpenStore | None,
    record: BackendRecord,
    notice: Callable[[str], None],
    remote: RemoteWork,
    may_send: bool,
) -> Engine:
    """The parts of a run, each with what it needs. `may_send`: calls in doubt may be sent again."""
    ledger, blobs, folder = state.ledger, state.blobs, state.state_dir.blobs
    budget, shutdown = admission.budget, admission.shutdown
    buying = store.buying if store else None
    log = CallLog(context, blobs, buying)
    progress = IndexProgress(blobs, folder, ledger)
    recorder = AttemptRecorder(context, ledger, budget, admission.counters, shutdown, log, progress)
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
        lambda: RecordsPatience(context.clock, context.rng, notice, admission.rate_limiter),
        notice, shutdown.collecting, record.settlement, resender if may_send else None,
        buying, recorder.book,
    )  # fmt: skip
    shared = None
    if store:
        shared = SharedResults(
            context, store.client, ledger, blobs, folder, collector, recorder, store.claims,
            store.patience, dict(store.spending.claimed),
        )  # fmt: skip
    submitter = Submitter(
        context, backend, inputs, ledger, admission, recorder, collector, shutdown, bodies, remote,
        buying,
    )  # fmt: skip
    return Engine(
        context=context,
        ledger=ledger,
        blobs_path=folder,
        submitter=submitter,
        restorer=BlobRestorer(context, backend, inputs, ledger.path, blobs, folder),
        recovery=Recovery(context, ledger, folder, budget, doubts, collector, shutdown),
        recorder=recorder,
        shared=shared,
    )


def _price(plan: Plan, run_options: RunOptions) -> Micros:
    """The highest price of one call."""
    model = plan.recipe.backend.model
    if model.price is not None:
        return model.price.high
    if run_options.price is None:
        raise UsageError(
            f"the price of model '{model.name}' is unknown, so nothing was sent. "
            "Set the highest price of a call with --price USD"
        )
    return run_options.price


def _budget(
    plan: Plan, context: RunContext, ledger: Path, run_options: RunOptions, spending: StoreSpending
) -> Budget:
    """The budget goes on where all earlier runs left it. Raises BudgetError without any limit."""
    if context.price and not run_options.limits and not run_options.collect_only:
        raise BudgetError(
            "a paid run needs a cap or a budget; nothing was sent. Set limits.max_cost"
        )
    model = plan.recipe.backend.model
    price = model.price or Price(context.price, context.price)
    with open_reader(ledger) as reader:
        return open_budget(
            reader,
            identity(plan.recipe),
            run_options.limits,
            (context.backend, model.name, price),
            context.clock.wall(),
            bool(model.by_size),
            spending,
        )
