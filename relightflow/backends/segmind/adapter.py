"""The Segmind backend: one submit is one billable POST, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/segmind.md for what it does on the wire.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from relightflow.backends.history.matching import DIGEST
from relightflow.backends.http import sessions
from relightflow.backends.http.download import Downloads, exempt, fetch_apart
from relightflow.backends.http.inputs import Inputs, PreparedInput
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.response import Response, amount, mapping
from relightflow.backends.segmind import hosts, models, responses, v1, v2
from relightflow.backends.segmind.assets import upload
from relightflow.backends.segmind.history import SegmindHistory, failure_of, known
from relightflow.backends.segmind.hosts import SegmindApi
from relightflow.backends.segmind.responses import checked
from relightflow.errors import RefusedError
from relightflow.model.evidence import SERVER_TIME, Evidence
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Balance, BillRow, Call, RecordsQuery, Retry
from relightflow.plugins.records import BackendContext

RING = KeyRing("Segmind", "SEGMIND_API_KEY", prefix="SG_")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What exists between `open` and `close`."""

    api: SegmindApi
    downloads: Downloads
    inputs: Inputs
    poller: v2.SegmindPoller
    history: SegmindHistory


class Segmind(Backend):
    """Implements Backend, HasBalance, HasFetcher, HasHistory, HasIntentDetails and HasServerTime."""

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        where: hosts.SegmindHosts,
        clock: ClockFunctions | None = None,
    ) -> None:
        self._context = context
        self._read_key = key
        self._hosts = where
        self._clock = clock or ClockFunctions()
        self._told: set[str] = set()
        self._api = context.options.get("api", "auto")
        self._protocol = "v1" if self._api == "v1" else "v2"
        self._parts: _Opened | None = None
        self._hosts_check: asyncio.Task[None] | None = None

    @classmethod
    def from_environment(cls, context: BackendContext) -> Segmind:
        """Raises `UsageError` for an override that is no server's address."""
        where = hosts.from_environment(os.environ, context.operator.output_hosts)
        return cls(context, RING.read, where)

    async def open(self) -> None:
        if self._context.operator.offline:
            raise RefusedError("the backend segmind needs the network, and --offline is set")
        key = self._read_key(self._tell)
        api = SegmindApi(sessions.api_session(), self._hosts, key)
        private = self._context.operator.allow_private_network
        session = sessions.download_session(*exempt(self._hosts), private=private)
        downloads = Downloads(session, self._hosts)
        delivery = self._context.options.get("delivery", "upload")
        clock = self._clock
        self._parts = _Opened(
            api,
            downloads,
            Inputs(
                self._hosts,
                downloads,
                self._context.memory,
                self._tell,
                delivery,
                partial(upload, api, self._context.model.name),
                self._hosts.assets,
            ),
            v2.SegmindPoller(
                api, PollSchedule(), self._tell, clock.sleep, clock.monotonic, clock.wall
            ),
            SegmindHistory(
                api, math.isinf(self._hosts.settling), matcher=models.matcher(self._context.model)
            ),
        )
        if self._hosts.override:
            self._tell(
                f"{hosts.OVERRIDE} is set: {self._hosts.override} is used instead of Segmind"
            )

    async def close(self) -> None:
        parts, self._parts = self._parts, None
        if self._hosts_check is not None:
            self._hosts_check.cancel()
            await asyncio.gather(self._hosts_check, return_exceptions=True)
        if parts is not None:
            await parts.api.session.close()
            await parts.downloads.session.close()

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        await self._result_hosts_checked()
        return await self._now.inputs.prepare(image, data)

    async def _result_hosts_checked(self) -> None:
        """Once a run, whoever comes first; all wait for the same look. Raises CallFailed."""
        check = self._hosts_check
        if check is None or (check.done() and (check.cancelled() or check.exception())):
            check = self._hosts_check = asyncio.ensure_future(self._now.downloads.check_hosts())
        await asyncio.shield(check)

    def intent_details(self, call: Call) -> FrozenMap:
        """What the history is searched by, should this call's answer get lost."""
        given: PreparedInput = call.prepared
        inline = given.value.startswith("data:")
        facts = {"api": self._protocol, DIGEST: given.digest, "inline": inline}
        now = self.server_time()
        return FrozenMap(facts if now is None else facts | {SERVER_TIME: round(now, 3)})

    def server_time(self) -> float | None:
        return self._now.api.server_time()

    async def submit(self, call: Call) -> Step:
        given: PreparedInput = call.prepared
        row = models.row(call.job.model)
        if row is None and call.job.model == self._context.model.name:
            row = models.declared_row(self._context.model)
        if row is None:
            words = f"Segmind's table has no model '{call.job.model}'"
            raise CallFailed(Failure(FailureKind.REFUSED_MODEL, words))
        inputs = {row.image_field: given.value, **call.job.parameters}
        protocol = self._protocol
        step = await self._post(protocol, row, inputs)
        if isinstance(step, Response) and step.status == 404 and self._falls_back(protocol):
            protocol = self._protocol
            step = await self._post(protocol, row, inputs)
        if isinstance(step, Response):
            failure = responses.of_submit(step, protocol, row.model.name)
            if failure.kind is FailureKind.BAD_IMAGE:
                await self._now.inputs.forget(given)
            raise CallFailed(failure)
        return step

    async def _post(
        self, protocol: str, row: models.ModelRow, inputs: dict[str, object]
    ) -> Accepted | PaidUnfetched | Response:
        api, model, now = self._now.api, row.model, self._clock.wall()
        if protocol == "v1":
            return await v1.submit(api, model.name, inputs, model.typical_seconds, now)
        return await v2.submit(api, model.name, inputs, now)

    def _falls_back(self, tried: str) -> bool:
        """After an unbilled 404: whether v1 may be tried, for this call and the rest of the run."""
        if self._api != "auto" or tried != "v2":
            return False
        self._protocol = "v1"
        self._tell(
            f"Segmind has no v2 route for '{self._context.model.name}': this run uses v1, where a "
            "lost connection leaves an unknown outcome"
        )
        return True

    async def collect(self, step: Step) -> Step:
        if isinstance(step, Accepted):
            return await self._follow(step)
        if isinstance(step, PaidUnfetched):
            return await self._finish(step)
        if isinstance(step, ResultKnown):
            return await self._fetch(step)
        return step

    async def _follow(self, step: Accepted) -> ResultKnown:
        try:
            return await self._now.poller.result(step)
        except CallFailed as failed_:
            failure = failed_.failure
            paid = failure.kind is FailureKind.PENDING and failure.billed is Billed.YES
            if failure.kind is not FailureKind.EXPIRED and not paid:
                raise
            found = await self._recorded(step)
            if found is None:
                raise
            return found

    async def _finish(self, step: PaidUnfetched) -> Step:
        why = "the process ended before it received the answer"
        if step.body is not None:
            try:
                return await v1.finish(step)
            except v1.Cut as cut:
                why = f"the answer was cut short ({cut})"
            except CallFailed:
                found = await self._recorded(step)
                if found is None:
                    raise
                return found
        found = await self._recorded(step)
        if found is not None:
            return found
        words = f"{why}; it was paid for. The request history does not show its result (yet)"
        raise CallFailed(
            Failure(
                FailureKind.UNKNOWN,
                words,
                Billed.YES,
                200,
                cost=step.cost,
                request_id=step.request_id,
            )
        )

    async def _recorded(self, step: Accepted | PaidUnfetched) -> ResultKnown | None:
        """What the history knows of a step's request. Raises `CallFailed` where it failed."""
        if not step.request_id:
            return None
        try:
            own = await self._now.history.by_id(step.request_id)
        except CallFailed:
            return None
        if own is None:
            return None
        if own.status == "FAILED":
            raise CallFailed(failure_of(own))
        return known(step.request_id, own, step.details)

    async def _fetch(self, step: ResultKnown) -> Completed:
        try:
            data = await self._now.downloads.fetch(step.url)
        except CallFailed as lost:
            raise CallFailed(_with_bill(lost.failure, step)) from None
        return Completed(data, step.cost, step.request_id, step.details)

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes]:
        private = self._context.operator.allow_private_network
        return partial(fetch_apart, self._hosts, private, step.url)

    async def balance(self) -> Balance:
        doing = "reading the balance"
        api = self._now.api
        answer = checked(await api.read("GET", api.hosts.credits, doing), doing)
        found = mapping(answer.body)
        credits_ = amount(found.get("credits"))
        if credits_ is None:
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, "Segmind's balance cannot be read"))
        return Balance(credits_, amount(found.get("free-credits")) or 0)

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        lag = min(query.lag, self._hosts.settling)
        return await self._now.history.look_up(replace(query, lag=lag), retry)

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return await self._now.history.bill(since, until, retry)

    @property
    def _now(self) -> _Opened:
        assert self._parts is not None, "open() comes first"
        return self._parts

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._context.notice(words)


def _with_bill(failure: Failure, step: ResultKnown) -> Failure:
    return replace(failure, cost=step.cost, request_id=step.request_id)
