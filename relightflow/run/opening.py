"""Lays the workbench out: lock, ledger, store, books, rules and backend, in this order, and clears it.

Whatever an earlier process left in INTENT is unknown from here on, before a cent is counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from relightflow.errors import UsageError
from relightflow.ledger import lock
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.catalog import Model
from relightflow.model.image import Image
from relightflow.model.money import Micros
from relightflow.model.plan import Plan
from relightflow.model.run_options import RunOptions
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, HasBalance
from relightflow.plugins.records import BackendContext, BackendRecord, OperatorPolicy
from relightflow.run.balance import check_balance
from relightflow.run.clock import Clock, RealClock
from relightflow.run.context import RunContext
from relightflow.run.counters import Counters
from relightflow.run.input_cache import InputCache
from relightflow.run.jobs.interrupted import settle_interrupted
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.circuit_breaker import CircuitBreaker, Refusals
from relightflow.run.limits.guards import DiskGuard, ExpiryGuard
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.plan_status import check_ledger_present
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shutdown import Shutdown
from relightflow.store import blobs
from relightflow.store.blobs import BlobStore
from relightflow.store.shared import open_shared
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class OpenState:
    """The state folder, opened for writing by this process alone."""

    ledger: Ledger
    blobs: BlobStore
    state_dir: StateDir


@contextmanager
def open_state(state_dir: StateDir, who: str) -> Iterator[OpenState]:
    """Raises EarlyStop where another run holds the lock, StorageError where the ledger is no good."""
    state_dir.create()
    with lock.acquire(state_dir.lock, who):
        check_ledger_present(state_dir)
        blobs.sweep(state_dir.blobs)
        ledger = Ledger(state_dir.ledger)
        store = BlobStore(state_dir.blobs)
        try:
            yield OpenState(ledger, store, state_dir)
        finally:
            store.close()
            ledger.close()


class _LedgerMemory:
    """A backend's notebook, kept in the ledger."""

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
) -> AsyncIterator[LazyBackend]:
    """The backend, made when it is first needed, and closed at the end."""
    with open_reader(state.state_dir.ledger) as reader:
        memory = _LedgerMemory(record.name, state.ledger, reader)
        context = BackendContext(model, options, memory, notice, operator)
        backend = LazyBackend(lambda: record.create(context), on_open)
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
) -> AsyncIterator[RunContext]:
    """Everything that the life of a job works with; the backend is made when a call needs it.

    Raises UsageError where the price is unknown and the operator gave none.
    """
    clock, rng = clock or RealClock(), rng or Random()  # noqa: S311  jitter guards nothing
    spec = plan.recipe.backend
    price = _price(plan, run_options)
    folder = state.state_dir
    await settle_interrupted(state.ledger, folder.ledger, folder.blobs, record.name)
    circuit_breaker = CircuitBreaker(clock)
    budget = _budget(state.state_dir.ledger, plan.recipe.name, run_options.cap)
    counters = Counters(plan.jobs_count, budget, clock)
    on_open = _when_opened(
        circuit_breaker,
        counters,
        lambda backend: check_balance(backend, plan, state.state_dir, budget, notice),
        ask_balance=bool(price) and not run_options.collect_only,
    )
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(
            open_backend(record, spec.model, spec.options, state, operator, notice, on_open)
        )
        inputs = InputCache(backend, read_image, public_url)
        stack.push_async_callback(inputs.close)
        yield RunContext(
            run_id=run_id,
            backend=backend,
            backend_name=record.name,
            inputs=inputs,
            ledger=state.ledger,
            ledger_path=state.state_dir.ledger,
            blobs=state.blobs,
            blobs_path=state.state_dir.blobs,
            price=price,
            keeps_requests=record.keeps_requests,
            limits=plan.recipe.limits,
            expiry_guard=ExpiryGuard(clock, record.keeps_requests),
            disk_guard=DiskGuard(state.state_dir.blobs),
            rate_limiter=_rate_limiter(plan, price, clock, rng),
            circuit_breaker=circuit_breaker,
            refusals=Refusals(),
            budget=budget,
            shutdown=Shutdown(),
            counters=counters,
            clock=clock,
            rng=rng,
        )


def _when_opened(
    circuit_breaker: CircuitBreaker,
    counters: Counters,
    check: Callable[[HasBalance], Awaitable[Micros | None]],
    ask_balance: bool,
) -> Callable[[Backend], Awaitable[None]]:
    """What happens once, when the backend is opened: its free call probes for the end of an outage,
    and `check` asks for the balance before the first purchase."""

    async def on_open(backend: Backend) -> None:
        if isinstance(backend, HasBalance):
            circuit_breaker.probe = backend.balance
            if ask_balance:
                counters.balance = await check(backend)

    return on_open


@asynccontextmanager
async def open_shared_store(
    context: RunContext, operator: OperatorPolicy, notice: Callable[[str], None]
) -> AsyncIterator[RunContext]:
    """The bench with the operator's shared store, if there is one and something has a price: what is
    free is made again sooner than it is fetched. Raises UsageError for a URL that is none."""
    store = None if context.free else open_shared(operator.store)
    if store is None:
        yield context
        return
    shared = SharedStoreClient(store, operator.store_writes, notice)
    try:
        yield replace(context, shared=shared)
    finally:
        await shared.close(context.shutdown.draining)


def _price(plan: Plan, run_options: RunOptions) -> Micros:
    """The highest price of one call."""
    model = plan.recipe.backend.model
    if model.price is not None:
        return model.price.high
    if run_options.price is None:
        raise UsageError(
            f"the price of model '{model.name}' is unknown, so nothing was sent. "
            "Say what a call costs at most with --price USD"
        )
    return run_options.price


def _rate_limiter(plan: Plan, price: Micros, clock: Clock, rng: Random) -> RateLimiter | None:
    rate = plan.recipe.limits.rate
    return RateLimiter(clock, rate, rng) if price or rate else None


def _budget(ledger: Path, recipe: str, cap: Micros | None) -> Budget:
    """The books go on where the runs that this one resumes left them."""
    with open_reader(ledger) as reader:
        money = reader.money(campaign=recipe)
    return Budget(cap, money.spent, money.unknown, money.in_flight)
