from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.emulator.images import tiny
from relightflow.model.failure import Billed, FailureKind
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect
from tests.backends.replicate.conftest import KEY, image

OWN = {"title": "T", "detail": "the file is too large", "status": 413}


async def test_an_image_goes_up_as_a_form_and_its_name_tells_nothing(
    connect: Connect, listen: Listen
) -> None:
    seen: list[Any] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        if first.startswith("POST"):
            seen.append((first.split()[1], headers["authorization"], body))
            return answer(201, {"id": "f", "urls": {"get": "https://api.replicate.com/v1/files/f"}})
        return answer(200, {})

    context = await connect(await listen(replying(choose)))
    given = await context.backend.prepare(image(name="secret-client.jpg"), tiny())
    [(path, key, body)] = seen
    assert (path, key) == ("/v1/files", f"Bearer {KEY}")
    assert tiny() in body
    assert b'name="content"' in body
    assert b"secret-client" not in body
    assert given.value == "https://api.replicate.com/v1/files/f"
    assert [words for words in context.notices if "only this account's key opens" in words]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, OWN, FailureKind.BAD_IMAGE),
        (413, b"<html>", FailureKind.UNAVAILABLE),
        (201, {"id": "f"}, FailureKind.UNAVAILABLE),
        (201, {"urls": ["x"]}, FailureKind.UNAVAILABLE),
        (401, {"detail": "no"}, FailureKind.ACCOUNT),
        (429, {"detail": "resets in ~3s"}, FailureKind.RATE_LIMITED),
        (502, b"<html>", FailureKind.UNAVAILABLE),
    ],
)
async def test_an_upload_that_goes_wrong_costs_nothing(
    connect: Connect, listen: Listen, status: int, body: Any, kind: FailureKind
) -> None:
    def choose(first: str, *_: object) -> bytes:
        return answer(status, body) if first.startswith("POST") else answer(200, {})

    context = await connect(await listen(replying(choose)))
    failure = await error(context.backend.prepare(image(), tiny()))
    assert (failure.kind, failure.billed) == (kind, Billed.NO)
