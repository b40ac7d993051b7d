"""A simulated provider and a simulated process around the real engine, ledger and recovery.

All of it runs in one thread and in virtual time, so one seed is one history: the ledger's and the
store's writer threads do their work in the loop, and a crash is a place in the count of everything
that happens (commits, stored batches, calls sent, taken and answered). From the crash on nothing
reaches the ledger, the store or the provider; the next process finds the files as they were.
What a power cut does to unsynced writes is not simulated.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from random import Random
from typing import Any
from unittest import mock

from relightflow.backends.history.lookup import look_up
from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.history.records import HistoryListing, Span, at_once
from relightflow.backends.segmind.history import SegmindHistory
from relightflow.backends.segmind.models import TABLE
from relightflow.errors import StorageError
from relightflow.ledger import ledger as ledgers
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.evidence import DIGEST, SERVER_TIME, Evidence
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import (
    Backend,
    Balance,
    BillRow,
    Call,
    RecordsQuery,
    Retry,
    Settlement,
)
from relightflow.plugins.records import BackendContext, BackendRecord
from relightflow.run import opening
from relightflow.store import blobs
from relightflow.testing.clock import EPOCH, VirtualLoop

PRICE = 50_000
NAMED = 3000.0
"""Seconds for which the provider remembers our name for a call."""
KEEPS = 3600.0
LAG = 60.0
"""Seconds until a request is in the provider's records, at most; less than the engine's settling."""
LEAVES = 2.0
"""Seconds for which a body may lie in buffers after the caller has died."""


@dataclass(slots=True)
class Taken:
    """A request that reached the provider."""

    request_id: str
    image: str
    parameters: FrozenMap
    at: float
    """Unix seconds; like all times here."""
    done: float
    shown: float
    """When the records have it."""
    fails: bool

    @property
    def what(self) -> tuple[str, FrozenMap]:
        return self.image, self.parameters


class Died(BaseException):
    """The process is dead: nothing after this happens."""


class Power:
    """One life of a process: counts what happens and ends it at the chosen place."""

    def __init__(self, crash_at: int = 0, disk_full_from: int = 0) -> None:
        self.crash_at = crash_at
        self.disk_full_from = disk_full_from
        self.on = True
        self.ticks = 0
        self.end: Callable[[], None] = lambda: None

    def tick(self) -> None:
        """Something happens now. Raises Died where nothing does any more."""
        if not self.on:
            raise Died
        self.ticks += 1
        if self.ticks == self.crash_at:
            self.on = False
            self.end()
            raise Died

    @property
    def disk_full(self) -> bool:
        return 0 < self.disk_full_from <= self.ticks


class Inline:
    """`relightflow.core.group_commit.GroupCommit` without its thread: what one turn asked is one batch, still."""

    power = Power()

    def __init__(self, work: Callable[[Any], Any], name: str, **_: int) -> None:
        self._work = work
        self._name = name
        self._asked: list[tuple[Any, asyncio.Future[Any] | None]] = []
        self._enqueued: list[Any] = []

    async def ask(self, request: Any) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not any(waiting for _, waiting in self._asked):
            loop.call_soon(self._flush)
        self._asked.append((request, future))
        return await future

    def ask_and_wait(self, request: Any) -> Any:
        answer = self._do([request])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, request: Any) -> None:
        """Done some time later: whoever does not wait must not rely on it."""
        if not self._asked:
            asyncio.get_running_loop().call_later(0.05, self._flush)
        self._asked.append((request, None))

    def enqueue(self, request: Any) -> None:
        """Rides with the next request, or with the end."""
        self._enqueued.append(request)

    def close(self) -> None:
        if self.power.on:
            self._flush()
            if self._enqueued:
                self._do([])

    def flush(self) -> None:
        self._flush()

    def _flush(self) -> None:
        waiting, self._asked = self._asked, []
        try:
            answers = self._do([request for request, _ in waiting]) if waiting else []
        except Died:
            return  # nobody is there to hear of it
        for (_, future), answer in zip(waiting, answers, strict=True):
            if future is None or future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _do(self, asked: list[Any]) -> Sequence[Any]:
        answers: Sequence[Any]
        riding, self._enqueued = self._enqueued, []
        requests = riding + asked
        self.power.tick()  # the process dies before …
        try:
            full = self.power.disk_full
            answers = [_full(self._name)] * len(requests) if full else self._work(requests)
        except Exception as error:
            answers = [error] * len(requests)
        self.power.tick()  # … or after it is durable, and before anybody knows
        return answers[len(riding) :]


def _full(name: str) -> Exception:
    if name == "ledger":
        return StorageError("the ledger could not be written: database or disk is full")
    return StorageError(f"a result could not be stored ({OSError(errno.ENOSPC, 'no room')})")


async def _inline(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@dataclass(slots=True)
class Weather:
    """How often what goes wrong, as probabilities."""

    unsent: float = 0.0
    limited: float = 0.0
    unavailable: float = 0.0
    silent: float = 0.0
    """Body sent, no answer: taken or not, half and half."""
    fails: float = 0.0
    spoilt: float = 0.0
    poll: float = 0.0
    slow: float = 10.0
    """Seconds of work, at most."""


STORM = Weather(0.03, 0.03, 0.03, 0.04, 0.02, 0.01, 0.1, 60.0)


@dataclass(slots=True)
class Provider:
    """The account at the other end: it outlives every process."""

    rng: Random
    weather: Weather = field(default_factory=Weather)
    taken: list[Taken] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Request ids that a process has used."""
    names: dict[str, Taken] = field(default_factory=dict)
    """Our name for a call → what it became; for `api="key"`."""
    prefix: str = "r"
    """What its request ids begin with."""
    _serial: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def billed(self) -> list[Taken]:
        return [request for request in self.taken if not request.fails]

    def take(self, call: Call, now: float) -> Taken:
        fails = self.rng.random() < self.weather.fails
        request = Taken(
            f"{self.prefix}-{next(self._serial):06d}",
            call.job.image.sha256,
            call.job.parameters,
            now,
            now + self.rng.uniform(0.1, self.weather.slow),
            now + self.rng.uniform(0.0, LAG),
            fails,
        )
        self.taken.append(request)
        self.names[call.name] = request
        return request

    def find(self, request_id: str) -> Taken | None:
        return next((r for r in self.taken if r.request_id == request_id), None)

    def row(self, request: Taken, now: float) -> HistoryRow:
        done = now >= request.done
        status = ("FAILED" if request.fails else "COMPLETED") if done else "PENDING"
        inputs = {"image": address(request.image), **request.parameters}
        url = f"https://sim/{request.request_id}" if status == "COMPLETED" else ""
        cost = PRICE if status == "COMPLETED" else 0
        return HistoryRow(request.request_id, "sim", status, cost, request.at, inputs, url)


def address(sha256: str) -> str:
    return f"https://sim/in/{sha256}"


@dataclass(frozen=True, slots=True)
class Records(SegmindHistory):
    """The real look-up and the real matching over simulated records."""

    provider: Provider
    clock: Callable[[], float]

    async def by_id(self, request_id: str, retry: Retry = at_once) -> HistoryRow | None:
        Inline.power.tick()
        found = self.provider.find(request_id)
        if found is None or found.shown > self.clock():
            return None
        return self.provider.row(found, self.clock())

    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        Inline.power.tick()
        now = self.clock()
        shown = [r for r in self.provider.taken if r.shown <= now]
        return HistoryListing(tuple(self.provider.row(r, now) for r in shown))

    async def server_time(self, retry: Retry) -> float | None:
        return self.clock()


class Simulated(Backend):
    """The backend of one process: v2's steps, v1's, or with `Named` v2's under our names."""

    def __init__(self, provider: Provider, api: str, wall: Callable[[], float]) -> None:
        self._provider = provider
        self._api = api
        self._wall = wall
        self._history = Records(None, Matcher.of(TABLE), True, provider, wall)  # type: ignore[arg-type]  # no API is asked

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def balance(self) -> Balance:
        return Balance(10**9)

    async def prepare(self, image: Image, data: bytes) -> str:
        await asyncio.sleep(self._provider.rng.uniform(0, 0.5))
        return address(image.sha256)

    def intent_details(self, call: Call) -> FrozenMap:
        digest = hashlib.sha256(call.prepared.encode()).hexdigest()
        return FrozenMap(
            {"api": self._api, DIGEST: digest, "inline": False, SERVER_TIME: self._wall()}
        )

    async def submit(self, call: Call) -> Step:
        rng, weather = self._provider.rng, self._provider.weather
        Inline.power.tick()
        await asyncio.sleep(rng.uniform(0.0, 0.3))
        _maybe(rng, weather.unsent, Failure(FailureKind.UNSENT, "no connection"))
        _maybe(
            rng,
            weather.limited,
            Failure(FailureKind.RATE_LIMITED, "slower", retry_after=rng.random()),
        )
        _maybe(rng, weather.unavailable, Failure(FailureKind.UNAVAILABLE, "down", status=502))
        silent = rng.random() < weather.silent
        Inline.power.tick()  # the body leaves
        if silent and rng.random() < 0.5:
            await asyncio.sleep(90.0)
            raise CallFailed(Failure(FailureKind.UNKNOWN, "no answer", Billed.UNKNOWN))
        request = self._provider.take(call, self._wall() + rng.uniform(0.0, LEAVES))
        if silent:
            await asyncio.sleep(90.0)
            raise CallFailed(Failure(FailureKind.UNKNOWN, "no answer", Billed.UNKNOWN))
        await asyncio.sleep(request.at - self._wall())
        if self._api == "v1":
            await asyncio.sleep(max(0.0, request.done - self._wall()))
            if request.fails:
                raise CallFailed(Failure(FailureKind.UNAVAILABLE, "it failed", status=500))
        Inline.power.tick()  # the answer comes
        details = FrozenMap({"api": self._api, "model": "sim", "submitted": self._wall()})
        if self._api == "v1":
            return PaidUnfetched(request.request_id, PRICE, details, _body(request.request_id))
        return Accepted(request.request_id, details)

    async def collect(self, step: Step) -> Step:
        rng, weather = self._provider.rng, self._provider.weather
        Inline.power.tick()
        await asyncio.sleep(rng.uniform(0.05, 0.5))
        assert isinstance(step, Accepted | ResultKnown | PaidUnfetched)
        self._provider.asked.add(step.request_id)
        _maybe(rng, weather.poll, Failure(FailureKind.PENDING, "once more", Billed.UNKNOWN))
        if isinstance(step, PaidUnfetched):
            return await self._finish(step)
        if isinstance(step, Accepted):
            return await self._poll(step)
        data = b"" if rng.random() < weather.spoilt else image(step.request_id)
        return Completed(data, step.cost, step.request_id, step.details)

    async def _poll(self, step: Accepted) -> Step:
        request = self._provider.find(step.request_id)
        if request is None or self._wall() > request.at + KEEPS:
            own = await self._history.by_id(step.request_id)
            if own is None or own.status == "PENDING":
                failure = Failure(
                    FailureKind.EXPIRED, "gone", Billed.UNKNOWN, request_id=step.request_id
                )
                raise CallFailed(failure)
        else:
            await asyncio.sleep(max(0.0, request.done - self._wall()))
        assert request
        if request.fails:
            raise CallFailed(
                Failure(FailureKind.JOB_FAILED, "it failed", request_id=step.request_id)
            )
        return ResultKnown(step.request_id, f"https://sim/{step.request_id}", PRICE, step.details)

    async def _finish(self, step: PaidUnfetched) -> Step:
        if step.body is not None:
            data = b"".join([piece async for piece in step.body])
            return Completed(data, step.cost, step.request_id, step.details)
        own = await self._history.by_id(step.request_id)
        if own is None or not own.url:
            cut = Failure(
                FailureKind.UNKNOWN, "cut short", Billed.YES, cost=PRICE, request_id=step.request_id
            )
            raise CallFailed(cut)
        return ResultKnown(step.request_id, own.url, PRICE, step.details)

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        return await look_up(self._history, query, retry)

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return await self._history.bill(since, until, retry)


class Named(Simulated):
    """Its provider takes our name for a call, and for so long makes no second one of that name."""

    def server_time(self) -> float:
        return self._wall()

    def request_body(self, call: Call) -> bytes:
        return f"{call.name} {call.job.key} {call.prepared}".encode()

    def intent_details(self, call: Call) -> FrozenMap:
        return super().intent_details(replace(call, prepared=call.prepared or ""))

    async def submit(self, call: Call) -> Step:
        rng, weather = self._provider.rng, self._provider.weather
        known = self._provider.names.get(call.name)
        if known is None or self._wall() - known.at > NAMED:
            return await super().submit(call)
        Inline.power.tick()
        await asyncio.sleep(rng.uniform(0.0, 0.3))
        _maybe(rng, weather.unsent, Failure(FailureKind.UNSENT, "no connection"))
        _maybe(rng, weather.silent, Failure(FailureKind.UNKNOWN, "no answer", Billed.UNKNOWN))
        _maybe(rng, weather.poll, Failure(FailureKind.PENDING, "runs", Billed.UNKNOWN))
        Inline.power.tick()  # the answer comes
        details = {"api": "v2", "model": "sim", "submitted": known.at}
        return Accepted(known.request_id, FrozenMap(details))


def _maybe(rng: Random, probability: float, failure: Failure) -> None:
    if rng.random() < probability:
        raise CallFailed(failure)


async def _body(request_id: str) -> Any:
    await asyncio.sleep(0.05)
    Inline.power.tick()
    yield image(request_id)


def image(request_id: str) -> bytes:
    """A small PNG that no two requests share: bytes after its end carry the id."""
    return PNG + request_id.encode()


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63f80f0001010100b138f6140000000049454e44ae426082"
)

AXES = (
    Parameter("x", "integer", minimum=0, maximum=999, default=0),
    Parameter("y", "integer", minimum=0, maximum=999, default=0),
)


def record(
    provider: Provider, api: str, wall: Callable[[], float], name: str = "sim"
) -> BackendRecord:
    def create(_: BackendContext) -> Any:
        return Named(provider, "v2", wall) if api == "key" else Simulated(provider, api, wall)

    return BackendRecord(
        name,
        "simulated",
        (Model("sim", AXES, Price(PRICE, PRICE), 5.0),),
        create,
        keeps_requests=KEEPS,
        settlement=Settlement("key", NAMED) if api == "key" else Settlement("lookup"),
    )


@contextmanager
def one_thread(power: Power, wall: Callable[[], float]) -> Iterator[None]:
    """The engine's threads work in the loop, and its ledger has the virtual time."""
    with ExitStack() as stack:
        patched = partial(stack.enter_context)
        patched(mock.patch.object(Inline, "power", power))
        patched(mock.patch.object(ledgers, "GroupCommit", Inline))
        patched(mock.patch.object(blobs, "GroupCommit", Inline))
        patched(mock.patch.object(blobs, "make_durable"))
        patched(mock.patch.object(opening, "Ledger", partial(ledgers.Ledger, now=wall)))
        patched(mock.patch.object(asyncio, "to_thread", _inline))
        yield


class Loop(VirtualLoop):
    """Virtual time that goes on where the last process left it."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._jumping.now = now


def wall_of(loop: asyncio.AbstractEventLoop) -> float:
    return EPOCH + loop.time()
