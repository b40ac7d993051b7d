"""The kit sees what a careless backend makes of a call that bears our name."""

from __future__ import annotations

from itertools import count

import pytest

from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, Completed, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.testing import check_backend, sample_image_bytes
from tests.testing.test_backend import PROVIDER, Named, record

_SERIAL = count()


class OtherBytes(Named):
    def request_body(self, call: Call) -> bytes:
        return f"{call.name}{next(_SERIAL)}".encode()


class OtherRequest(Named):
    async def submit(self, call: Call) -> Step:
        first = await super().submit(call)
        assert isinstance(first, Accepted)
        again = f"{first.request_id}{next(_SERIAL)}"
        PROVIDER[again] = PROVIDER[first.request_id]
        return Accepted(again)


class WantsThePrepared(Named):
    async def submit(self, call: Call) -> Step:
        if call.prepared is None:
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, "there is no image"))
        return await super().submit(call)


class NeedsThePrepared(Named):
    def intent_details(self, call: Call) -> FrozenMap:
        return FrozenMap({"bytes": len(call.prepared)})


class AnswersWithTheImage(Named):
    async def submit(self, call: Call) -> Step:
        return Completed(sample_image_bytes())


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (OtherBytes, "other bytes for the same call"),
        (OtherRequest, "became another request"),
        (WantsThePrepared, "a call that is sent again"),
        (NeedsThePrepared, "intent_details of a call without `prepared`"),
        (AnswersWithTheImage, "must give `Accepted` or `ResultKnown`"),
    ],
)
async def test_a_careless_backend_is_told_what_it_does_wrong(
    backend: type[Named], words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        await check_backend(record(backend))
