"""A backend for tests, in process and as an installed plugin: it paints at once, keeps a bill, and
fails as the test's script says."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.plugins.backend import UNSETTLED, Backend, Call, Send, Settlement
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import BackendContext, BackendRecord

PRICE = 50_000
_SHADE = Parameter("shade", "integer", minimum=0, default=0)
MODELS = (
    Model("glow", (_SHADE,), Price(PRICE, PRICE), typical_seconds=1.0),
    Model("dear", (_SHADE,), Price(2 * PRICE, 2 * PRICE)),
    Model("gift", (_SHADE,), Price(0, 0)),
    Model("riddle", (_SHADE,), None),
)


def png(seed: str) -> bytes:
    """A sound 2 × 2 image, another one for every seed."""
    pixel = sha256(seed.encode()).digest()
    rows = b"".join(b"\0" + pixel[n * 6 : n * 6 + 6] for n in range(2))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def fails(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> CallFailed:
    return CallFailed(Failure(kind, f"the studio says {kind}", billed, **facts))


Script = Callable[[Any, int], "Step | Awaitable[Step | None] | None"]
"""(call or step, how many went before) → the step, None for the usual one; or it raises."""


def usual(_: object, __: int) -> None:
    return None


@dataclass
class Provider:
    """The other end. What it billed is `bill`, job keys in order."""

    mode: str = "instant"
    """`instant`: Completed. `v2`: Accepted, ResultKnown, Completed. `v1`: PaidUnfetched, Completed."""
    on_submit: Script = usual
    on_collect: Script = usual
    seconds: float = 0.0
    """That a submit takes."""
    book: Path | None = None
    """A file that outlives the process: a line for every billed call."""
    submits: list[str] = field(default_factory=list)
    """Keys of all jobs that were asked for, billed or not."""
    bill: list[str] = field(default_factory=list)
    collects: list[Step] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    on_answer: Script = usual
    """Of a `NamedBackend`: after the call was taken; the answer may get lost."""
    names: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Name of a call → its request and its body."""
    time: float | None = 1_700_000_000.0
    """The provider's Unix seconds."""

    def charge(self, key: str) -> str:
        """Bill a job; its request id, from which `collect` knows what to paint."""
        self.bill.append(key)
        if self.book:
            handle = os.open(self.book, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(handle, f"{key}\n".encode())
            os.close(handle)
        return f"{key}-request"


class ScriptedBackend(Backend):
    def __init__(self, context: BackendContext, provider: Provider) -> None:
        self.provider = provider
        self._cost = context.model.price.high if context.model.price else PRICE

    async def open(self) -> None:
        self.provider.opened += 1

    async def close(self) -> None:
        self.provider.closed += 1

    async def prepare(self, image: Image, data: bytes) -> Any:
        assert sha256(data).hexdigest() == image.sha256
        self.provider.prepared.append(image.name)
        return None

    async def submit(self, call: Call) -> Step:
        provider = self.provider
        provider.submits.append(call.job.key)
        said = provider.on_submit(call, len(provider.submits) - 1)
        step = await said if isinstance(said, Awaitable) else said
        if step is not None:
            return step
        if provider.seconds:
            await asyncio.sleep(provider.seconds)
        request = provider.charge(call.job.key)
        if provider.mode == "v2":
            return Accepted(request)
        if provider.mode == "v1":
            return PaidUnfetched(request, self._cost)
        return Completed(png(call.job.key), self._cost, request)

    async def collect(self, step: Step) -> Step:
        provider = self.provider
        provider.collects.append(step)
        said = provider.on_collect(step, len(provider.collects) - 1)
        following = await said if isinstance(said, Awaitable) else said
        if following is not None:
            return following
        assert not isinstance(step, Completed)
        if isinstance(step, Accepted):
            return ResultKnown(step.request_id, f"https://studio/{step.request_id}", self._cost)
        key = step.request_id.partition("-")[0]
        return Completed(png(key), self._cost, step.request_id)

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes]:
        return partial(png, step.request_id.partition("-")[0])

    def maker(self, job: Job) -> Callable[[bytes], bytes]:
        return partial(_made, job.key)


class UploadingBackend(ScriptedBackend):
    """Its provider takes images at a URL for each."""

    async def prepare_apart(self, image: Image, send: Send[str]) -> str:
        return await send(partial(_uploaded, f"https://storage/{image.name}?signature=s"))

    async def submit(self, call: Call) -> Step:
        assert call.prepared in (None, f"https://storage/{call.job.image.name}?signature=s")
        return await super().submit(call)


def _uploaded(url: str, data: bytes) -> str:
    assert data
    return url


def _made(key: str, data: bytes) -> bytes:
    assert data
    return png(key)


class NamedBackend(ScriptedBackend):
    """Its provider takes our name for a call, and makes and bills no second one of that name."""

    def request_body(self, call: Call) -> bytes:
        return f"{call.job.key} {call.name}".encode()

    def server_time(self) -> float | None:
        return self.provider.time

    async def submit(self, call: Call) -> Step:
        provider = self.provider
        number = len(provider.submits)
        provider.submits.append(call.job.key)
        provider.on_submit(call, number)
        request, body = provider.names.get(call.name, ("", call.body))
        if body != call.body:
            raise fails(FailureKind.EXPIRED, Billed.UNKNOWN)
        if not request:
            request = provider.charge(call.job.key)
            provider.names[call.name] = (request, call.body)
        provider.on_answer(call, number)
        return Accepted(request)


def record(
    provider: Provider,
    settlement: Settlement = UNSETTLED,
    backend: type[ScriptedBackend] | None = None,
) -> BackendRecord:
    def create(context: BackendContext) -> ScriptedBackend:
        return (backend or ScriptedBackend)(context, provider)

    return BackendRecord("studio", "For tests", MODELS, create, settlement=settlement)


def _installed(context: BackendContext) -> ScriptedBackend:
    """As a plugin the environment says what it is to do: `STUDIO_SIGNALS=SIGINT@3` sends itself a
    signal at the fourth submit; `SIGINT@3+` does so once that submit is waiting."""
    mode, seconds = os.environ["STUDIO_MODE"], float(os.environ.get("STUDIO_SECONDS", "0"))
    provider = Provider(mode, seconds=seconds, book=Path(os.environ["STUDIO_BOOK"]))
    wanted = [one.split("@") for one in os.environ.get("STUDIO_SIGNALS", "").split()]

    def send(_: object, number: int) -> None:
        for name, when in wanted:
            late = when.endswith("+")
            if int(when.rstrip("+")) == number:
                send_it = partial(os.kill, os.getpid(), signal.Signals[name])
                asyncio.get_running_loop().call_later(0.2, send_it) if late else send_it()

    provider.on_submit = send
    return ScriptedBackend(context, provider)


@hookimpl
def relightflow_backends() -> Iterable[BackendRecord]:
    return (BackendRecord("studio", "For tests", MODELS, _installed),)
