"""The Segmind backend: one submit is one billable POST, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/segmind.md for what it does on the wire.
"""

from __future__ import annotations

from collections.abc import Callable

from relightflow.backends.history.backend import QueueBackend
from relightflow.backends.http.inputs import PreparedInput
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.http.response import Response, amount, mapping
from relightflow.backends.segmind import models, responses, v1, v2
from relightflow.backends.segmind.assets import upload
from relightflow.backends.segmind.history import SegmindHistory, failure_of, known
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.backends.segmind.responses import checked
from relightflow.backends.table import ModelRow
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Balance, Call
from relightflow.plugins.records import BackendContext


class Segmind(QueueBackend[SegmindHosts, ModelRow]):
    """Implements Backend, HasBalance, HasFetcher, HasHistory, HasIntentDetails and HasServerTime."""

    _usual = SegmindHosts()
    _ring = KeyRing("Segmind", "SEGMIND_API_KEY", prefix="SG_")
    _poller_type = v2.SegmindPoller
    _records_type = SegmindHistory

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        hosts: SegmindHosts,
        clock: ClockFunctions | None = None,
    ) -> None:
        super().__init__(context, key, hosts, clock)
        self._version = context.options.get("api", "auto")
        self._protocol = "v1" if self._version == "v1" else "v2"

    @property
    def _table(self) -> tuple[ModelRow, ...]:
        return (*models.TABLE, *models.declared_rows(self._context.model))

    @property
    def _upload_place(self) -> str:
        return self._hosts.assets

    async def _upload(self, image: Image, data: bytes) -> str:
        return await upload(self._api, self._context.model.name, image, data)

    def intent_details(self, call: Call) -> FrozenMap:
        """What the history is searched by, and which API was asked."""
        return FrozenMap({"api": self._protocol, **super().intent_details(call)})

    async def submit(self, call: Call) -> Step:
        given: PreparedInput = call.prepared
        row, inputs = self._wire(call)
        protocol = self._protocol
        step = await self._post(protocol, row, inputs)
        if isinstance(step, Response) and self._falls_back(step, protocol):
            protocol = self._protocol
            step = await self._post(protocol, row, inputs)
        if isinstance(step, Response):
            failure = responses.of_submit(step, protocol, row.model.name)
            if failure.kind is FailureKind.BAD_IMAGE:
                await self._inputs.forget(given)
            raise CallFailed(failure)
        return step

    async def _post(
        self, protocol: str, row: ModelRow, inputs: dict[str, object]
    ) -> Accepted | PaidUnfetched | Response:
        api, model, now = self._api, row.model, self._clock.wall()
        if protocol == "v1":
            return await v1.submit(api, model.name, inputs, model.typical_seconds, now)
        return await v2.submit(api, model.name, inputs, now)

    def _falls_back(self, answer: Response, tried: str) -> bool:
        """After the provider's own 404, unbilled: whether v1 may be tried, for this call and the rest of the run."""
        if self._version != "auto" or tried != "v2":
            return False
        if answer.status != 404 or not responses.from_gateway(answer):
            return False
        self._protocol = "v1"
        self._tell(
            f"Segmind has no v2 route for '{self._context.model.name}': this run uses v1, where a "
            "lost connection leaves an unknown outcome"
        )
        return True

    async def collect(self, step: Step) -> Step:
        if isinstance(step, PaidUnfetched):
            return await self._finish(step)
        return await super().collect(step)

    async def _poll(self, step: Accepted) -> Step:
        try:
            return await super()._poll(step)
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
        why, kept = "the process ended before it received the answer", b""
        if step.body is not None:
            try:
                return await v1.finish(step)
            except v1.Cut as cut:
                why, kept = f"the answer was cut short ({cut})", cut.kept
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
                kept=kept,
            )
        )

    async def _recorded(self, step: Accepted | PaidUnfetched) -> ResultKnown | None:
        """What the history knows of a step's request. Raises `CallFailed` where it failed."""
        if not step.request_id:
            return None
        try:
            own = await self._history.by_id(step.request_id)
        except CallFailed:
            return None
        if own is None:
            return None
        if own.status == "FAILED":
            raise CallFailed(failure_of(own))
        return known(step.request_id, own, step.details)

    async def balance(self) -> Balance:
        doing = "reading the balance"
        api = self._api
        answer = checked(await api.read("GET", api.hosts.probe, doing), doing)
        found = mapping(answer.body)
        credits_ = amount(found.get("credits"))
        if credits_ is None:
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, "Segmind's balance cannot be read"))
        return Balance(credits_, amount(found.get("free-credits")) or 0)
