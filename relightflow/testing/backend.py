"""The conformance kit for backends."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from relightflow.errors import RelightflowError
from relightflow.images import BadImage, decode
from relightflow.model.attempt import Attempt, State
from relightflow.model.catalog import Model
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import FOLLOWS, Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap, canonical_json, thaw
from relightflow.plugins.backend import (
    Backend,
    Balance,
    BillRow,
    Call,
    HasBalance,
    HasHistory,
    HasIntentDetails,
    HasLookUp,
    HasServerTime,
    RecordsQuery,
)
from relightflow.plugins.records import BackendContext, BackendRecord, OperatorPolicy
from relightflow.testing.named_calls import check_named, named_call
from relightflow.testing.record import check_record
from relightflow.testing.remote_work import check_remote_work
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job

MOST_STEPS = 1000
"""A call that is not complete after so many steps never will be."""
T = TypeVar("T")


class InMemoryNotes:
    """A backend's memory that lasts as long as the test."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def recall(self, key: str) -> str | None:
        return self.kept.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.kept[key] = value

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)


def backend_context(
    model: Model, options: Mapping[str, Any] | None = None, operator: OperatorPolicy | None = None
) -> BackendContext:
    """What a backend is made with, for tests of one's own."""
    options = FrozenMap(options or {})
    return BackendContext(model, options, InMemoryNotes(), _ignore, operator or OperatorPolicy())


async def check_backend(
    record: BackendRecord,
    options: Mapping[str, Any] | None = None,
    *,
    model: str = "",
    operator: OperatorPolicy | None = None,
    cells: int = 3,
) -> None:
    """`record` makes backends that keep the protocol's promises. Makes `cells` + 1 calls: the last
    with bytes that are no image, which `prepare` or the provider must refuse, unbilled.

    Checked: the record and its models; create without a network; open, prepare, submit, collect,
    close, and close again; every step may follow the one before and can be written down as JSON;
    a call resumes from a recorded step in a new backend instance, and a step may be collected twice;
    the result is an image; what is not an image, or fails, ends in CallFailed with its failure; `balance`, `intent_details`,
    `server_time`, `bill` and `look_up` where it has them. With a settlement by key: the same call under
    the same name, sent again by another instance, is the same request. `fetcher`, `maker` and `prepare_apart`.
    """
    options = options or {}
    check_record(record, BackendRecord, options)
    assert record.models, f"{record.name}: it offers no model"
    names = [offered.name for offered in record.models]
    assert len(set(names)) == len(names), f"{record.name}: two models have one name"
    for offered in record.models:
        _check_model(record, offered)
    chosen = record.model(model) if model else record.models[0]
    assert chosen, f"{record.name}: there is no model {model!r}"
    context = backend_context(chosen, options, operator)
    kit = _Kit(record, context)
    await kit.unopened()
    backend = await kit.opened()
    try:
        image, data = sample_image(sample_image_bytes()), sample_image_bytes()
        prepared = await kit.asked("prepare", backend.prepare(image, data))
        for cell in _cells(chosen, cells):
            job = sample_job(image, record.name, chosen, cell)
            await kit.call(backend, named_call(backend, job, prepared))
        if record.settlement.by == "key":
            job = sample_job(image, record.name, chosen, {})
            call = named_call(backend, job, prepared)
            await kit.asked(
                "a call that is sent again", check_named(record.name, kit.opened, backend, call)
            )
        await kit.not_an_image(backend)
        await kit.capabilities(backend)
    finally:
        await backend.close()
    await backend.close()


class _Kit:
    """One record under test."""

    def __init__(self, record: BackendRecord, context: BackendContext) -> None:
        self._record, self._context = record, context
        self._name = record.name

    async def unopened(self) -> None:
        """A backend that was made and never used gives back what it holds, which is nothing."""
        made = self._made()
        assert isinstance(made, Backend), (
            f"{self._name}: `create` gives {type(made).__name__}, which is not a "
            "relightflow.Backend: derive it from that class"
        )
        for method in ("open", "close", "prepare", "submit", "collect"):
            assert inspect.iscoroutinefunction(getattr(made, method, None)), (
                f"{self._name}: `{method}` must be an `async def` method"
            )
        await made.close()

    def _made(self) -> Backend:
        try:
            return self._record.make(self._context)
        except TypeError as error:
            raise AssertionError(str(error)) from error

    async def opened(self) -> Backend:
        backend = self._made()
        await backend.open()
        return backend

    async def asked(self, what: str, answer: Awaitable[T]) -> T:
        """`answer`, or what is wrong with the way it failed."""
        try:
            return await answer
        except CallFailed as error:
            raise AssertionError(
                f"{self._name}: {what} of a sound sample failed: {error.failure}"
            ) from error
        except RelightflowError:
            raise
        except Exception as error:
            raise AssertionError(
                f"{self._name}: {what} raised {error!r}; an adapter ends a call with a step or "
                "with CallFailed and its failure"
            ) from error

    async def collected(self, backend: Backend, step: Step) -> Step:
        """The next step; a call that is still running is asked again, as the engine does.

        Raises CallFailed where it fails, or goes on running for too long.
        """
        looks = 0
        while True:
            try:
                return await backend.collect(step)
            except CallFailed as error:
                failure, looks = error.failure, looks + 1
                if failure.kind is not FailureKind.PENDING or looks == MOST_STEPS:
                    raise
            assert failure.billed is not Billed.NO, (
                f"{self._name}: a call that is still running may be billed: {failure}"
            )
            await asyncio.sleep(min(failure.retry_after or 0.0, 0.05))

    async def capabilities(self, backend: Backend) -> None:
        """What the backend has beside the five methods keeps its protocol too."""
        if isinstance(backend, HasBalance):
            balance = await self.asked("balance", backend.balance())
            assert isinstance(balance, Balance), (
                f"{self._name}: balance gave {balance!r}; give a Balance, in micro-dollars"
            )
        if isinstance(backend, HasIntentDetails):
            image, data = sample_image(sample_image_bytes()), sample_image_bytes()
            prepared = await self.asked("prepare", backend.prepare(image, data))
            job = sample_job(image, self._name, self._context.model, {})
            details = backend.intent_details(Call(job, prepared))
            assert isinstance(details, FrozenMap), (
                f"{self._name}: intent_details gave {details!r}; give a FrozenMap"
            )
            try:
                canonical_json(thaw(details))
            except (TypeError, ValueError) as error:
                raise AssertionError(
                    f"{self._name}: intent_details are not JSON: {error}"
                ) from error
        if isinstance(backend, HasServerTime):
            now = backend.server_time()
            assert now is None or (type(now) in (int, float) and 0 < now < 1e11), (
                f"{self._name}: server_time gave {now!r}; give Unix seconds, or None"
            )
        alone = hasattr(backend, "bill") and not isinstance(backend, HasLookUp)
        assert not alone, (
            f"{self._name}: it has `bill` and no `look_up`, so relightflow would never call it"
        )
        if isinstance(backend, HasHistory):
            rows = await self.asked("bill", backend.bill(0.0, 1.0, _give_up))
            sound = all(isinstance(row, BillRow) for row in rows)
            assert sound, f"{self._name}: bill gave something else than BillRow"
        if isinstance(backend, HasLookUp):
            await self.unproven(backend)

    async def unproven(self, backend: HasLookUp) -> None:
        """With no call of our own to compare the records with, nothing is absent."""
        image = sample_image(sample_image_bytes())
        job = sample_job(image, self._name, self._context.model, {})
        doubt = Attempt(
            1, job.key, "run", State.UNKNOWN, self._name, job.model, image.sha256, job.parameters,
            0, 1, None, Billed.UNKNOWN, "", "", "", "", 0.0, 0.0,
        )  # fmt: skip
        query = RecordsQuery((doubt,), (), frozenset(), 0.0)
        found = await self.asked("look_up", backend.look_up(query, _give_up))
        assert not found.absent, (
            f"{self._name}: look_up called an attempt absent though no call of our own showed "
            "that the "
            "records would have it"
        )
        told = [*found.adopted, *found.failed, *found.undecided]
        assert [number for number, _ in told] == [1], (
            f"{self._name}: look_up must name each of `query.doubts` once, by its `id`; it named "
            f"{[number for number, _ in told]} instead of [1]"
        )
        steps = [step for _, step in found.adopted]
        assert all(isinstance(step, Accepted | ResultKnown) for step in steps), (
            f"{self._name}: look_up adopted {steps!r}; adopt `Accepted` or `ResultKnown`, and the "
            "run "
            "collects it"
        )

    async def call(self, backend: Backend, call: Call) -> None:
        """One call to its end, then once more from each step that was written down."""
        written: list[Step] = []
        step = await self.asked("submit", backend.submit(call))
        for _ in range(MOST_STEPS):
            self._check_step(step)
            if isinstance(step, Completed):
                break
            written.append(self._through_json(step))
            before, step = step, await self.asked("collect", self.collected(backend, step))
            assert isinstance(step, FOLLOWS[type(before)]), (
                f"{self._name}: {type(step).__name__} cannot follow {type(before).__name__}; a "
                "call "
                "that is still running raises CallFailed with FailureKind.PENDING"
            )
        else:
            raise AssertionError(f"{self._name}: not complete after {MOST_STEPS} steps")
        self._check_result(step)
        for old in written[:1] + written[-1:]:
            await self._resumed(old, step)
        price = self._context.model.price
        free = price is not None and price.free
        await check_remote_work(self._name, backend, call, written, step, free)

    def _check_step(self, step: object) -> None:
        kinds = (Accepted, ResultKnown, PaidUnfetched, Completed)
        assert isinstance(step, kinds), f"{self._name}: {step!r} is no step"
        assert isinstance(step.request_id, str), f"{self._name}: the request id is no text"
        if isinstance(step, Accepted | ResultKnown):
            assert step.request_id, f"{self._name}: {type(step).__name__} needs a request id"
        cost = None if isinstance(step, Accepted) else step.cost
        whole = cost is None or (type(cost) is int and cost >= 0)
        assert whole, f"{self._name}: a cost is a whole number of micro-dollars, not {cost!r}"

    def _through_json(self, step: Accepted | ResultKnown | PaidUnfetched) -> Step:
        """The step as another process would find it in the ledger."""
        kept = {f.name: getattr(step, f.name) for f in fields(step) if f.name != "body"}
        try:
            row = json.loads(canonical_json(thaw(kept)))
        except (TypeError, ValueError) as error:
            raise AssertionError(
                f"{self._name}: the details of {type(step).__name__} are not JSON: {error}"
            ) from error
        details = FrozenMap(row.pop("details"))
        return type(step)(**row, details=details)

    async def _resumed(self, step: Step, wanted: Completed) -> None:
        """Another process goes on from `step`, twice: collecting costs nothing and loses nothing."""
        for _ in range(2):
            backend = await self.opened()
            try:
                reached: Step = step
                for _ in range(MOST_STEPS):
                    if isinstance(reached, Completed):
                        break
                    reached = await self.collected(backend, reached)
                assert isinstance(reached, Completed), f"{self._name}: a resumed call never ends"
                assert reached.data == wanted.data, (
                    f"{self._name}: collecting from a written {type(step).__name__} gave other "
                    "bytes"
                )
            except CallFailed as error:
                lost = isinstance(step, PaidUnfetched) and error.failure.billed is not Billed.NO
                assert lost, (
                    f"{self._name}: a written {type(step).__name__} could not be collected by "
                    f"another process: {error.failure.message}"
                )
            finally:
                await backend.close()

    def _check_result(self, step: Completed) -> None:
        try:
            decode(step.data)
        except BadImage as error:
            raise AssertionError(
                f"{self._name}: the result is not an image ({error.reason}); raise CallFailed with "
                "FailureKind.BAD_RESULT and the bytes in `kept`"
            ) from error
        price = self._context.model.price
        dear = price is not None and (step.cost or 0) > price.high
        assert not dear, f"{self._name}: it cost {step.cost}, more than the price of {price}"

    async def not_an_image(self, backend: Backend) -> None:
        """Bytes that are no image: refused unbilled, at once or by the call."""
        data = b"this is not an image"
        image = replace(sample_image(data), name="broken.png")
        try:
            prepared = await backend.prepare(image, data)
            job = sample_job(image, self._name, self._context.model, {})
            step = await backend.submit(named_call(backend, job, prepared))
            for _ in range(MOST_STEPS):
                if isinstance(step, Completed):
                    break
                step = await self.collected(backend, step)
        except CallFailed as error:
            failure = error.failure
            assert failure.message, f"{self._name}: a failure without a message"
            assert failure.billed is Billed.NO, (
                f"{self._name}: bytes that are no image must end unbilled: refuse them in "
                "`prepare` with "
                "FailureKind.BAD_IMAGE, or let the stub refuse them as the provider does; "
                f"{failure}"
            )
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(
                f"{self._name}: bytes that are no image raised {error!r}; raise CallFailed with "
                "FailureKind.BAD_IMAGE"
            ) from error
        else:
            raise AssertionError(
                f"{self._name}: bytes that are no image gave a result; refuse them in `prepare` "
                "with "
                "FailureKind.BAD_IMAGE, or let the stub refuse them as the provider does"
            )


def _check_model(record: BackendRecord, model: Model) -> None:
    what = f"{record.name}, model {model.name!r}"
    names = [parameter.name for parameter in model.parameters]
    assert len(set(names)) == len(names), f"{what}: two parameters have one name"
    for parameter in model.parameters:
        where = f"{what}: parameter {parameter.name!r}"
        values = parameter.values
        assert parameter.name.isidentifier(), f"{where}: the name must do as a field of a template"
        assert (parameter.kind == "choice") == bool(values), f"{where}: only a choice has values"
        assert len(set(map(repr, values))) == len(values), f"{where}: a value is listed twice"
        if parameter.default is not None:
            problem = parameter.problem(parameter.default)
            assert problem is None, f"{where}: its own default {problem}"
    if model.price:
        assert 0 <= model.price.low <= model.price.high, f"{what}: the price is no range"


def _cells(model: Model, count: int) -> Iterator[dict[str, Any]]:
    """The defaults, then cells in which every choice moves on by one value."""
    for turn in range(count):
        cell = {}
        for parameter in model.parameters:
            if parameter.kind == "choice" and (turn or parameter.default is None):
                cell[parameter.name] = parameter.values[turn % len(parameter.values)]
        yield cell


async def _give_up(failure: Failure) -> None:
    """A kit does not wait."""
    raise CallFailed(failure)


def _ignore(_: str) -> None:
    """What a backend tells the user is nothing to a test."""
