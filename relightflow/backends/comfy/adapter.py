"""The Comfy Router backend: one held request is one billable call, and its key is our name for it.

The answer to a call comes when the work is done, up to ten minutes later. That needs no queue: whatever
becomes of the connection, the same request under the same key collects the result. See
docs/reference/comfy.md.
"""

from __future__ import annotations

from uuid import UUID

from relightflow.backends.comfy import responses
from relightflow.backends.comfy.hosts import ComfyHosts
from relightflow.backends.http.client import encoded
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.named_backend import NamedBackend, of_resent
from relightflow.backends.http.response import Response
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.money import dollars
from relightflow.model.step import Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call


class Comfy(NamedBackend[ComfyHosts]):
    """Implements Backend, HasRequestBody and HasServerTime."""

    _usual = ComfyHosts()
    _ring = KeyRing("Comfy Router", "COMFY_API_KEY", prefix="comfyui-")
    _patience = 660.0
    """The router holds a call for ten minutes, then says that its deadline has passed."""
    _estimated: frozenset[FrozenMap] = frozenset()

    async def _greet(self) -> None:
        failure = responses.of_read(await self._probe(), "reading the list of models")
        if failure.kind is FailureKind.ACCOUNT:
            raise CallFailed(failure)

    def request_body(self, call: Call) -> bytes:
        return encoded({"image": call.prepared, **dict(sorted(call.job.parameters.items()))})

    async def submit(self, call: Call) -> Step:
        name = str(UUID(hex=call.name))
        if call.prepared is not None:
            await self._check_price(call)
            return responses.of_call(await self._post(call, name), name)
        try:  # a key is taken before the input is looked at, and given back where that is refused
            return responses.of_call(await self._post(call, name), name)
        except CallFailed as error:
            raise CallFailed(of_resent(error.failure)) from None

    async def _check_price(self, call: Call) -> None:
        """Ask what a cell costs, until the answer was within the plan's price. A router that does not say changes nothing.

        Raises CallFailed, unbilled, where it is more than the plan's price.
        """
        price, cell = self._context.model.price, call.job.parameters
        if price is None or cell in self._estimated:
            return
        url, body = self._hosts.estimate(call.job.model), {"image": call.prepared, **cell}
        try:
            answer = await self._api.read("POST", url, "asking for the price", body=body)
        except CallFailed:
            return
        cost = responses.estimated(answer)
        if cost is not None and cost > price.high:
            words = (
                f"Comfy Router would charge {dollars(cost)} USD for a call planned at up to "
                f"{dollars(price.high)} USD; not sent, not billed"
            )
            raise CallFailed(Failure(FailureKind.REFUSED_CELL, words))
        self._estimated |= {cell}

    async def _post(self, call: Call, name: str) -> Response:
        """The answer to the billable call, whole. Raises CallFailed."""
        url = self._hosts.run(call.job.model)
        return await self._api.post_whole(url, call.body, self._patience, {"Idempotency-Key": name})
