"""The parts together: the key, what is refused before anything is sent, and results that are deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relightflow.backends.emulator.images import tiny
from relightflow.backends.http.hosts import in_force
from relightflow.backends.replicate.adapter import Replicate
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.replicate.models import MODELS
from relightflow.errors import AccountError
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import EXPIRES, Accepted, Completed, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.testing.backend import backend_context
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate
from tests.backends.replicate.conftest import KEY, image

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
GONE = {"id": ID, "status": "succeeded", "output": None, "data_removed": True}
STILL = {"id": ID, "status": "succeeded", "output": ["https://replicate.delivery/a"]}


async def test_without_a_key_or_with_a_refused_one_nothing_is_opened(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    backend = Replicate(backend_context(MODELS[0]), Replicate._ring.read, ReplicateHosts())
    with pytest.raises(AccountError, match="set REPLICATE_API_TOKEN"):
        await backend.open()
    await backend.close()
    emulator = await emulate(keys=frozenset({"r8_another"}))
    where = in_force(ReplicateHosts(), {ReplicateHosts().variable: emulator.url})
    backend = Replicate(backend_context(MODELS[0]), lambda _: KEY, where)
    with pytest.raises(AccountError, match="refused the key"):
        await backend.open()
    await backend.close()


async def test_what_is_no_image_is_not_sent(emulate: Emulate, connect: Connect) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    failure = await error(context.backend.prepare(image(b"no"), b"no"))
    assert (failure.kind, failure.billed) == (FailureKind.BAD_IMAGE, Billed.NO)
    call = await context.call()
    failure = await error(context.backend.submit(replace(call, job=replace(call.job, model="a/b"))))
    assert failure.kind is FailureKind.REFUSED_MODEL
    assert "submit" not in emulator.requests()["phases"]


def serving(prediction: dict[str, Any], download: bytes) -> Any:
    def choose(first: str, *_: object) -> bytes:
        if "/out" in first:
            return download
        return answer(200, prediction if "predictions" in first else {})

    return replying(choose)


@pytest.mark.parametrize(
    ("prediction", "kind", "words"),
    [
        (GONE, FailureKind.BAD_RESULT, "is lost"),
        (STILL, FailureKind.EXPIRED, "no longer at its URL"),
        ({"detail": "oops"}, FailureKind.EXPIRED, "no longer at its URL"),
    ],
)
async def test_a_file_that_is_gone_is_lost_only_on_replicates_word(
    connect: Connect, listen: Listen, prediction: Any, kind: FailureKind, words: str
) -> None:
    url = await listen(serving(prediction, answer(404, b"")))
    context = await connect(url)
    step = ResultKnown(ID, f"{url}/out.webp", 9750, FrozenMap({EXPIRES: 0.0}))
    failure = await error(context.backend.collect(step))
    assert (failure.kind, failure.billed) == (kind, Billed.YES)
    assert words in failure.message


async def test_what_waits_says_by_when_it_must_be_collected(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(serving({"detail": "oops"}, answer(503, b"")))
    context = await connect(url)
    details = FrozenMap({EXPIRES: 1_795_438_800.0, "submitted": 1_795_435_200.0})
    for step in (ResultKnown(ID, f"{url}/out.webp", 9750, details), Accepted(ID, details)):
        failure = await error(context.backend.collect(step))
        assert failure.kind is FailureKind.PENDING
        assert "run again before 13:00 UTC" in failure.message


async def test_the_key_is_shown_to_a_result_only_where_it_asks(
    connect: Connect, listen: Listen
) -> None:
    seen: list[str] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        if "/out" not in first:
            return answer(200, {})
        seen.append(headers.get("authorization", ""))
        asks = "locked" in first and not seen[-1]
        return answer(401, b"") if asks else answer(200, tiny(), content_type="image/jpeg")

    url = await listen(replying(choose))
    context = await connect(url)
    for name, keys in (("out.webp", [""]), ("out-locked.webp", ["", f"Bearer {KEY}"])):
        seen.clear()
        found = await context.backend.collect(ResultKnown(ID, f"{url}/{name}"))
        assert isinstance(found, Completed)
        assert (found.data, seen) == (tiny(), keys)


async def test_a_result_is_not_left_to_a_machine_without_the_key(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    backend: Any = context.backend
    assert backend.fetcher(ResultKnown(ID, "https://replicate.delivery/a")) is None
