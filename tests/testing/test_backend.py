"""The backend kit sees what a careless backend does wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from relightflow.images import BadImage, probe
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.evidence import Evidence, Needs, Undecided
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.money import micros
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import (
    Backend,
    BillRow,
    Call,
    RecordsQuery,
    Retry,
    Settlement,
)
from relightflow.plugins.records import BackendContext, BackendRecord
from relightflow.testing import check_backend, sample_image_bytes

SIDE = Parameter("light_direction", values=("left", "right"), default="left")
MODEL = Model("m", (SIDE,), Price(0, micros("0.05")))
PROVIDER: dict[str, bytes] = {}
"""What the imagined provider has made: request id → image."""


class ScriptedBackend(Backend):
    """A backend in three steps that is right, until a subclass spoils one thing."""

    def __init__(self, context: BackendContext) -> None:
        self.context = context

    async def open(self) -> None:
        """No connection is needed."""

    async def close(self) -> None:
        """No connection is held."""

    async def prepare(self, image: Image, data: bytes) -> Any:
        try:
            probe(data)
        except BadImage as error:
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, error.reason)) from None
        return data

    async def submit(self, call: Call) -> Step:
        PROVIDER[call.job.id] = sample_image_bytes(len(call.job.parameters["light_direction"]))
        return Accepted(call.job.id, FrozenMap({"api": "v2"}))

    async def collect(self, step: Step) -> Step:
        if isinstance(step, Accepted):
            return ResultKnown(step.request_id, f"https://x/{step.request_id}", micros("0.05"))
        assert isinstance(step, ResultKnown)
        return Completed(PROVIDER[step.request_id], step.cost, step.request_id)


class Immediate(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return Completed(sample_image_bytes())


class Streams(ScriptedBackend):
    """Paid at once; what another process cannot read any more is lost, and said to be paid."""

    def __init__(self, context: BackendContext) -> None:
        super().__init__(context)
        self.own: set[str] = set()

    async def submit(self, call: Call) -> Step:
        self.own.add(call.job.id)
        return PaidUnfetched(call.job.id)

    async def collect(self, step: Step) -> Step:
        assert isinstance(step, PaidUnfetched)
        if step.request_id not in self.own:
            raise CallFailed(Failure(FailureKind.PENDING, "the answer is gone", Billed.YES))
        return Completed(sample_image_bytes())


class Backwards(ScriptedBackend):
    async def collect(self, step: Step) -> Step:
        if isinstance(step, ResultKnown):
            return Accepted(step.request_id)
        return await super().collect(step)


class Endless(ScriptedBackend):
    async def collect(self, step: Step) -> Step:
        return step


class Nameless(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return Accepted("")


class KeepsInMemory(Streams):
    """Accepted, but only this process can collect."""

    async def submit(self, call: Call) -> Step:
        self.own.add(call.job.id)
        return Accepted(call.job.id)

    async def collect(self, step: Step) -> Step:
        assert isinstance(step, Accepted)
        return await super().collect(PaidUnfetched(step.request_id))


class BinaryDetails(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return replace(await super().submit(call), details=FrozenMap({"token": b"x"}))


class NotAnImage(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return Completed(b"<html>")


class TooDear(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return Completed(sample_image_bytes(), cost=micros("0.06"))


class FloatCost(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        return Completed(sample_image_bytes(), cost=0.05)  # type: ignore[arg-type]  # the fault


class Raises(ScriptedBackend):
    async def submit(self, call: Call) -> Step:
        raise KeyError("output")


class TakesAnything(ScriptedBackend):
    async def prepare(self, image: Image, data: bytes) -> Any:
        return data


class NoticesLate(TakesAnything):
    """The provider takes everything and works on it for a while; what is no image fails, unbilled."""

    def __init__(self, context: BackendContext) -> None:
        super().__init__(context)
        self.looks = 0

    async def submit(self, call: Call) -> Step:
        step = await super().submit(call)
        if call.prepared != sample_image_bytes():
            PROVIDER[call.job.id] = b""
        return step

    async def collect(self, step: Step) -> Step:
        self.looks += 1
        if self.looks % 3:
            raise CallFailed(Failure(FailureKind.PENDING, "still running", Billed.UNKNOWN))
        if isinstance(step, Accepted) and not PROVIDER[step.request_id]:
            raise CallFailed(Failure(FailureKind.JOB_FAILED, "not an image", Billed.NO))
        return await super().collect(step)


class BillsAnything(NoticesLate):
    async def collect(self, step: Step) -> Step:
        try:
            return await super().collect(step)
        except CallFailed as error:
            raise CallFailed(replace(error.failure, billed=Billed.YES)) from None


class DollarBalance(ScriptedBackend):
    async def balance(self) -> Any:
        return 12.5


class DictDetails(ScriptedBackend):
    def intent_details(self, call: Call) -> Any:
        return {"label": call.job.id}


class BinaryIntent(ScriptedBackend):
    def intent_details(self, call: Call) -> Any:
        return FrozenMap({"label": b"x"})


class Records(ScriptedBackend):
    """Looks calls up as a subclass says."""

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return ()

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        why = Undecided(Needs.PERSON, "nothing is kept")
        return Evidence(undecided=tuple((doubt.id, why) for doubt in query.doubts))


class NoLookUp(ScriptedBackend):
    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return ()


class LeavesOut(Records):
    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        return Evidence()


class AdoptsTheImage(Records):
    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        done = Completed(sample_image_bytes())
        return Evidence(adopted=tuple((doubt.id, done) for doubt in query.doubts))


class Named(ScriptedBackend):
    """Its provider takes our name for a call."""

    def server_time(self) -> float:
        return 1e9

    def request_body(self, call: Call) -> bytes:
        return call.name.encode()

    async def submit(self, call: Call) -> Step:
        await super().submit(call)
        name = call.body.decode()
        PROVIDER[name] = PROVIDER[call.job.id]
        return Accepted(name)


class Synchronous(ScriptedBackend):
    def close(self) -> Any:
        return None


def record(backend: type[ScriptedBackend], model: Model = MODEL) -> BackendRecord:
    def create(context: BackendContext) -> Backend:
        return backend(context)

    by_key, by_lookup = issubclass(backend, Named), hasattr(backend, "look_up")
    settlement = (
        Settlement("key", 3600.0) if by_key else Settlement("lookup" if by_lookup else "none")
    )
    return BackendRecord("studio", "For tests", (model,), create, settlement=settlement)


@pytest.mark.parametrize(
    "backend", [ScriptedBackend, Immediate, Streams, NoticesLate, Records, Named]
)
async def test_a_sound_backend_passes(backend: type[ScriptedBackend]) -> None:
    await check_backend(record(backend))


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (Backwards, "cannot follow"),
        (Endless, "cannot follow"),
        (Nameless, "needs a request id"),
        (KeepsInMemory, "could not be collected by another process"),
        (BinaryDetails, "not JSON"),
        (NotAnImage, "the result is not an image"),
        (TooDear, "more than the price"),
        (FloatCost, "micro-dollars"),
        (Raises, "KeyError"),
        (TakesAnything, "gave a result"),
        (BillsAnything, "must end unbilled"),
        (DollarBalance, "give a Balance, in micro-dollars"),
        (DictDetails, "give a FrozenMap"),
        (BinaryIntent, "intent_details are not JSON"),
        (NoLookUp, "it has `bill` and no `look_up`"),
        (LeavesOut, "each of `query.doubts` once"),
        (AdoptsTheImage, "adopt `Accepted` or `ResultKnown`"),
        (Synchronous, "async def"),
    ],
)
async def test_a_careless_backend_is_told_what_it_does_wrong(
    backend: type[ScriptedBackend], words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        await check_backend(record(backend))


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (replace(SIDE, default="up"), "its own default"),
        (replace(SIDE, values=("left", "left")), "listed twice"),
        (replace(SIDE, name="light direction"), "field of a template"),
        (replace(SIDE, kind="text"), "only a choice"),
    ],
)
async def test_a_model_that_contradicts_itself_is_told(parameter: Parameter, words: str) -> None:
    model = replace(MODEL, parameters=(parameter,))
    with pytest.raises(AssertionError, match=words):
        await check_backend(record(ScriptedBackend, model))


class StillRunning(ScriptedBackend):
    """Says twice that the call is still running, as the engine wants it."""

    def __init__(self, context: BackendContext) -> None:
        super().__init__(context)
        self.looks = 0

    async def collect(self, step: Step) -> Step:
        self.looks += 1
        if self.looks % 3:
            raise CallFailed(Failure(FailureKind.PENDING, "still running", Billed.UNKNOWN))
        return await super().collect(step)


async def test_a_call_that_is_still_running_is_asked_again() -> None:
    await check_backend(record(StillRunning))


async def test_what_is_no_backend_is_told_its_base_class() -> None:
    class Other:
        def __init__(self, context: BackendContext) -> None: ...

    with pytest.raises(AssertionError, match=r"Other, which is not a relightflow\.Backend"):
        await check_backend(
            replace(record(ScriptedBackend), create=Other)  # type: ignore[arg-type]  # the fault
        )


@pytest.mark.parametrize(
    ("backend", "settlement", "words"),
    [
        (ScriptedBackend, Settlement("lookup"), "needs the method `look_up`"),
        (ScriptedBackend, Settlement("key", 60.0), "needs the method `request_body`"),
        (Named, Settlement("key"), "forgets every name at once"),
        (Named, Settlement(), "`request_body`, which is never called"),
        (Records, Settlement(), "`look_up`, which is never called"),
    ],
)
async def test_what_is_declared_and_what_is_there_must_agree(
    backend: type[ScriptedBackend], settlement: Settlement, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        await check_backend(replace(record(backend), settlement=settlement))
