"""What an upload that the provider refuses means; how images are delivered is http/test_inputs.py."""

from __future__ import annotations

import pytest

from relightflow.backends.segmind.assets import upload
from relightflow.model.failure import Billed, FailureKind
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect
from tests.backends.segmind.conftest import IMAGE, image


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.BAD_IMAGE),
        (404, FailureKind.UNAVAILABLE),
        (429, FailureKind.RATE_LIMITED),
        (500, FailureKind.UNAVAILABLE),
    ],
)
async def test_a_refused_upload_costs_nothing_and_says_nothing_of_the_model(
    connect: Connect, listen: Listen, status: int, kind: FailureKind
) -> None:
    url = await listen(replying(lambda *_: answer(status, {"error": "no"})))
    context = await connect(url)
    api = context.backend._api
    failure = await error(upload(api, "segmind-relighting", image(), IMAGE))
    assert (failure.kind, failure.billed) == (kind, Billed.NO)
