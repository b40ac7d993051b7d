"""A conformance kit for backends that pay over HTTP: what they make of a network that goes wrong.

It stands between the backend and a stub of its provider as a reverse proxy, and spoils one request at a
time. What matters is money: a failure may be called unbilled only if the call certainly did not arrive
or the provider itself said so, and whatever happens to a poll, the call is paid for once and collected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Completed, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.records import BackendRecord
from relightflow.testing.backend import backend_context
from relightflow.testing.named_calls import named_call
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job

_MOST_LOOKS = 400
"""Polls after which a call counts as never coming to its end."""
PAGE = b"<html><body>The proxy could not do that</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request."""

    name: str
    forward: bool
    """True: the provider gets the request before its answer is damaged."""
    status: int = 0
    """Of the answer that is given instead; 0: the connection is closed without one."""
    body: bytes = PAGE
    headers: Mapping[str, str] = field(default_factory=dict)


_SUBMIT_FAULTS = (
    Fault("closed after the provider took it", forward=True),
    Fault("a proxy's 502 after the provider took it", forward=True, status=502),
    Fault("a proxy's 500 after the provider took it", forward=True, status=500),
    Fault("a proxy's 504 after the provider took it", forward=True, status=504),
    Fault("a 200 that is a page", forward=True, status=200),
    Fault("a redirect", forward=False, status=307, headers={"Location": "http://127.0.0.1:9/"}),
)
_POLL_FAULTS = (
    Fault("closed", forward=False),
    Fault("a proxy's 404", forward=False, status=404),
    Fault("a proxy's 422", forward=False, status=422),
    Fault("a proxy's 500", forward=False, status=500),
    Fault("a proxy's 503", forward=False, status=503),
    Fault("a 429", forward=False, status=429, headers={"Retry-After": "0"}),
    Fault("a 200 that is a page", forward=False, status=200),
    Fault("a 200 that is empty", forward=False, status=200, body=b""),
)


async def check_http_faults(
    record: BackendRecord,
    upstream: str,
    point_at: Callable[[str], None],
    billed: Callable[[], int],
    options: Mapping[str, Any] | None = None,
    is_submit: Callable[[bytes], bool] | None = None,
) -> None:
    """`record`'s backend loses no call and calls none unbilled that the provider took.

    `upstream`: URL of a stub of the provider, which bills each call it takes. `point_at(url)` makes the
    backend send its calls there instead. `billed()`: how many calls the stub has billed. `is_submit`:
    whether a request (its head and its body) is the paid one; left out: every request with a method other
    than GET and HEAD is. With a settlement by key, every call that is left in doubt is sent again under
    its name and must then be billed once in all. Raises AssertionError.
    """
    kit = _FaultKit(record, FrozenMap(options or {}), billed)
    async with _proxy(upstream, is_submit or _has_a_body) as proxy:
        point_at(proxy.url)
        await kit.refused_connection(point_at, proxy.url)
        for fault in _SUBMIT_FAULTS:
            await kit.submit(proxy, fault)
        for fault in _POLL_FAULTS:
            await kit.polls(proxy, fault)


@dataclass(slots=True)
class _FaultProxy:
    url: str
    host: str
    port: int
    is_submit: Callable[[bytes], bool]
    submit: Fault | None = None
    poll: Fault | None = None
    """Spoils the next poll, and then itself no more."""
    submits: int = 0
    """Requests that were sent to be billed."""


@dataclass(frozen=True, slots=True)
class _FaultKit:
    record: BackendRecord
    options: FrozenMap
    billed: Callable[[], int]

    async def refused_connection(self, point_at: Callable[[str], None], url: str) -> None:
        """Nobody listens: the call was certainly not sent."""
        point_at("http://127.0.0.1:9")
        try:
            failure = await self._submit_fails("nothing listens on the port")
        except CallFailed as error:  # an upload comes before the call
            failure = error.failure
        assert failure.billed is Billed.NO, self._says(
            "nothing listens on the port", "the call was not sent", failure
        )
        assert failure.kind is FailureKind.UNSENT, self._says(
            "nothing listens on the port", "FailureKind.UNSENT lets it be tried again", failure
        )
        point_at(url)

    async def submit(self, proxy: _FaultProxy, fault: Fault) -> None:
        """A submit that goes wrong is sent once, and unbilled only where it cannot have been billed."""
        proxy.submit, proxy.submits = fault, 0
        before = self.billed()
        failure = await self._submit_fails(fault.name, proxy)
        assert proxy.submits == 1, (
            f"{self.record.name}: after {fault.name} the call was sent {proxy.submits} times; "
            "relightflow "
            "alone decides on another try"
        )
        if fault.forward:
            assert failure.billed is not Billed.NO, self._says(
                fault.name, "the provider may have billed it: Billed.UNKNOWN", failure
            )
        if self.record.settlement.by == "key" and failure.billed is Billed.UNKNOWN:
            assert self.billed() == before + 1, (
                f"{self.record.name}: after {fault.name} the same call was sent again under its name, "
                f"and {self.billed() - before} were billed instead of one"
            )

    async def polls(self, proxy: _FaultProxy, fault: Fault) -> None:
        """A poll or download that goes wrong leaves the call open, and it is collected afterwards."""
        before = self.billed()
        async with self._opened() as (backend, call):
            step: Step = await backend.submit(call)
            proxy.poll = None if isinstance(step, Completed) else fault
            for _ in range(_MOST_LOOKS):
                if isinstance(step, Completed):
                    break
                try:
                    step = await backend.collect(step)
                except CallFailed as error:
                    failure = error.failure
                    assert failure.billed is not Billed.NO, self._says(
                        f"{fault.name} at a poll", "the call was taken and may be billed", failure
                    )
                    assert failure.kind is not FailureKind.JOB_FAILED, self._says(
                        f"{fault.name} at a poll", "not the provider's own response", failure
                    )
                    await asyncio.sleep(min(failure.retry_after or 0.0, 0.05))
            assert isinstance(step, Completed), (
                f"{self.record.name}: after {fault.name} at a poll the call was never collected"
            )
        assert self.billed() == before + 1, (
            f"{self.record.name}: {fault.name} at a poll billed again"
        )

    async def _submit_fails(self, what: str, proxy: _FaultProxy | None = None) -> Failure:
        """How a call fails. With a settlement by key, what is left in doubt is sent again under its
        name, once `proxy` spoils nothing any more."""
        async with self._opened() as (backend, call):
            try:
                await self._to_the_end(backend, call)
            except CallFailed as error:
                failure = error.failure
                if proxy:
                    proxy.submit, sent = None, proxy.submits
                    if self.record.settlement.by == "key" and failure.billed is Billed.UNKNOWN:
                        await self._to_the_end(backend, replace(call, prepared=None))
                    proxy.submits = sent
                return failure
        raise AssertionError(f"{self.record.name}: {what}, and yet the call gave a result")

    async def _to_the_end(self, backend: Backend, call: Call) -> None:
        """Raises CallFailed. A call that still runs is asked again."""
        step: Step | None = None
        for _ in range(_MOST_LOOKS):
            if isinstance(step, Completed):
                return
            try:
                step = await (backend.collect(step) if step else backend.submit(call))
            except CallFailed as error:
                if error.failure.kind is not FailureKind.PENDING:
                    raise
                await asyncio.sleep(min(error.failure.retry_after or 0.0, 0.05))
        raise AssertionError(f"{self.record.name}: a call never ended")

    def _says(self, what: str, wanted: str, failure: Failure) -> str:
        return (
            f"{self.record.name}: {what}: {wanted}; it said {failure.kind}, billed {failure.billed}"
        )

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Backend, Call]]:
        model = self.record.models[0]
        backend = self.record.make(backend_context(model, self.options))
        await backend.open()
        try:
            image, data = sample_image(sample_image_bytes()), sample_image_bytes()
            prepared = await backend.prepare(image, data)
            job = sample_job(image, self.record.name, model, {})
            yield backend, named_call(backend, job, prepared)
        finally:
            await backend.close()


@asynccontextmanager
async def _proxy(upstream: str, is_submit: Callable[[bytes], bool]) -> AsyncIterator[_FaultProxy]:
    """A reverse proxy on the loopback; one request a connection, to keep it plain."""
    host, _, port = upstream.removeprefix("http://").rstrip("/").partition(":")
    proxy = _FaultProxy("", host, int(port or 80), is_submit)
    server = await asyncio.start_server(lambda r, w: _serve(proxy, r, w), "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()


async def _serve(
    proxy: _FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        request = await _read(reader)
        if request:
            writer.write(await _answer(proxy, request))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        pass  # the backend went away
    finally:
        writer.close()


def _has_a_body(request: bytes) -> bool:
    return request.split(b" ", 1)[0] not in (b"GET", b"HEAD")


async def _answer(proxy: _FaultProxy, request: bytes) -> bytes:
    """What goes back; empty: nothing does."""
    if proxy.is_submit(request):
        proxy.submits += 1
        fault = proxy.submit
    else:
        fault, proxy.poll = proxy.poll, None
    answer = b"" if fault and not fault.forward else await _forward(proxy, request)
    if fault is None:
        return answer
    return _spoilt(fault) if fault.status else b""


async def _forward(proxy: _FaultProxy, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    try:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        writer.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """One request, with a body of a stated length or in chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.lower()
    if b"transfer-encoding: chunked" in fields:
        body = b""
        while True:
            size = await reader.readuntil(b"\r\n")
            piece = await reader.readexactly(int(size.strip(), 16) + 2)
            body += size + piece
            if size.strip() == b"0":
                return head + body
    length = fields.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
    return head + (await reader.readexactly(int(length)) if length else b"")


def _spoilt(fault: Fault) -> bytes:
    fields = {"Content-Type": "text/html", "Content-Length": str(len(fault.body)), **fault.headers}
    lines = [f"HTTP/1.1 {fault.status} Spoilt", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + fault.body
