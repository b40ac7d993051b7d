from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from relightflow.model.catalog import FREE, Model
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed, ResultKnown, Step
from relightflow.plugins.backend import Backend, Call, Send
from relightflow.testing.remote_work import check_remote_work
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job

KNOWN = ResultKnown("id", "https://there/a")
MODEL = Model("m", (), FREE)
CALL = Call(sample_job(sample_image(sample_image_bytes()), "b", MODEL, {}), None)


class _Apart(Backend):
    def __init__(self, fetch: Any = None, make: Any = None, upload: Any = None) -> None:
        self._fetch, self._make, self._upload = fetch, make, upload

    async def submit(self, call: Call) -> Step:
        return Completed(b"a")

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes] | None:
        return self._fetch  # type: ignore[no-any-return]  # what the test says

    def maker(self, job: Job) -> Callable[[bytes], bytes] | None:
        return self._make  # type: ignore[no-any-return]  # what the test says

    async def prepare_apart(self, image: Image, send: Send[Any]) -> Any:
        return await send(self._upload) if self._upload else None


def _given(data: bytes, *_: object) -> bytes:
    return data


@pytest.mark.parametrize(
    ("backend", "free", "words"),
    [
        (_Apart(fetch=partial(_given, b"b")), True, "`fetcher` downloads other bytes"),
        (_Apart(fetch=lambda: b"a"), True, "what `fetcher` gives cannot be pickled"),
        (_Apart(make=partial(_given, sample_image_bytes())), True, "`maker` makes other bytes"),
        (_Apart(upload=lambda _: 1), True, "what `prepare_apart` gives cannot be pickled"),
        (_Apart(make=partial(_given, b"a")), False, "`maker` would make jobs that are paid for"),
    ],
)
async def test_the_kit_finds_a_broken_promise(backend: Backend, free: bool, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        await check_remote_work("b", backend, CALL, [KNOWN], Completed(b"a"), free)


async def test_a_backend_that_keeps_its_promises_passes() -> None:
    sound = _Apart(partial(_given, b"a"), partial(_given, b"a"), partial(_given, b"a"))
    await check_remote_work("b", sound, CALL, [KNOWN], Completed(b"a"), free=True)
    await check_remote_work("b", _Apart(), CALL, [KNOWN], Completed(b"a"), free=False)
