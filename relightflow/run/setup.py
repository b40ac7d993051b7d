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
from relightflow.ledger.reader import Reader, reading
from relightflow.model.image import Image
from relightflow.model.money import Micros
from relightflow.model.offer import Model
from relightflow.model.plan import Plan
from relightflow.model.terms import Terms
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, HasBalance
from relightflow.plugins.records import BackendContext, BackendRecord, Operator
from relightflow.run.balance import check_balance
from relightflow.run.bench import Bench
from relightflow.run.board import Board
from relightflow.run.brake import Brake
from relightflow.run.breaker import Breaker, Refusals
from relightflow.run.budget import Budget
from relightflow.run.clock import Clock, RealClock
from relightflow.run.gate import Gate
from relightflow.run.guards import Accepted, Room
from relightflow.run.inputs import Inputs
from relightflow.run.interrupted import settle_interrupted
from relightflow.run.ondemand import OnDemand
from relightflow.run.shared import Shared
from relightflow.run.survey import check_whole
from relightflow.store import blobs
from relightflow.store.blobs import BlobStore
from relightflow.store.home import Home
from relightflow.store.remote import opened_remote


@dataclass(frozen=True, slots=True)
class State:
    """The state folder, opened for writing by this process alone."""

    ledger: Ledger
    blobs: BlobStore
    home: Home


@contextmanager
def opened(home: Home, who: str) -> Iterator[State]:
    """Raises EarlyStop where another run holds the lock, StorageError where the ledger is no good."""
    home.create()
    with lock.held(home.lock, who):
        check_whole(home)
        blobs.sweep(home.blobs)
        ledger = Ledger(home.ledger)
        store = BlobStore(home.blobs)
        try:
            yield State(ledger, store, home)
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
async def opened_backend(
    record: BackendRecord,
    model: Model,
    options: FrozenMap,
    state: State,
    operator: Operator,
    notice: Callable[[str], None],
    on_open: Callable[[Backend], Awaitable[None]] = _nothing,
) -> AsyncIterator[OnDemand]:
    """The backend, made when it is first needed, and closed at the end."""
    with reading(state.home.ledger) as reader:
        memory = _LedgerMemory(record.name, state.ledger, reader)
        context = BackendContext(model, options, memory, notice, operator)
        backend = OnDemand(lambda: record.create(context), on_open)
        try:
            yield backend
        finally:
            await backend.close()


@asynccontextmanager
async def workbench(
    plan: Plan,
    record: BackendRecord,
    state: State,
    terms: Terms,
    operator: Operator,
    run_id: str,
    read_image: Callable[[Image], bytes],
    notice: Callable[[str], None],
    clock: Clock | None = None,
    rng: Random | None = None,
    public_url: Callable[[Image], str] = lambda image: image.url,
) -> AsyncIterator[Bench]:
    """Everything that the life of a job works with; the backend is made when a call needs it.

    Raises UsageError where the price is unknown and the operator gave none.
    """
    clock, rng = clock or RealClock(), rng or Random()  # noqa: S311  jitter guards nothing
    spec = plan.recipe.backend
    price = _price(plan, terms)
    await settle_interrupted(state.ledger, state.home.ledger, state.home.blobs, record.name)
    breaker = Breaker(clock)
    budget = _budget(state.home.ledger, plan.recipe.name, terms.cap)
    board = Board(plan.jobs_count, budget, clock)

    async def on_open(backend: Backend) -> None:
        if isinstance(backend, HasBalance):
            breaker.probe = backend.balance
            if price and not terms.collect_only:
                board.balance = await check_balance(backend, plan, state.home, budget, notice)

    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(
            opened_backend(record, spec.model, spec.options, state, operator, notice, on_open)
        )
        inputs = Inputs(backend, read_image, public_url)
        stack.push_async_callback(inputs.close)
        yield Bench(
            run_id=run_id,
            backend=backend,
            backend_name=record.name,
            inputs=inputs,
            ledger=state.ledger,
            ledger_path=state.home.ledger,
            blobs=state.blobs,
            blobs_path=state.home.blobs,
            price=price,
            keeps_requests=record.keeps_requests,
            limits=plan.recipe.limits,
            accepted=Accepted(clock, record.keeps_requests),
            room=Room(state.home.blobs),
            gate=_gate(plan, price, clock, rng),
            breaker=breaker,
            refusals=Refusals(),
            budget=budget,
            brake=Brake(),
            board=board,
            clock=clock,
            rng=rng,
        )


@asynccontextmanager
async def sharing(
    bench: Bench, operator: Operator, notice: Callable[[str], None]
) -> AsyncIterator[Bench]:
    """The bench with the operator's shared store, if there is one and something has a price: what is
    free is made again sooner than it is fetched. Raises UsageError for a URL that is none."""
    remote = None if bench.free else opened_remote(operator.store)
    if remote is None:
        yield bench
        return
    shared = Shared(remote, operator.store_writes, notice)
    try:
        yield replace(bench, shared=shared)
    finally:
        await shared.close(bench.brake.leaving)


def _price(plan: Plan, terms: Terms) -> Micros:
    """The highest price of one call."""
    model = plan.recipe.backend.model
    if model.price is not None:
        return model.price.high
    if terms.price is None:
        raise UsageError(
            f"the price of model '{model.name}' is unknown, so nothing was sent. "
            "Say what a call costs at most with --price USD"
        )
    return terms.price


def _gate(plan: Plan, price: Micros, clock: Clock, rng: Random) -> Gate | None:
    rate = plan.recipe.limits.rate
    return Gate(clock, rate, rng) if price or rate else None


def _budget(ledger: Path, recipe: str, cap: Micros | None) -> Budget:
    """The books go on where the runs that this one resumes left them."""
    with reading(ledger) as reader:
        money = reader.money(campaign=recipe)
    return Budget(cap, money.spent, money.unknown, money.in_flight)
