"""The part of the kit for backends whose free work can be done on other machines."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from relightflow.images import probe
from relightflow.model.step import Completed, ResultKnown, Step
from relightflow.plugins.backend import Backend, Call, HasFetcher, HasMaker, HasUploader
from relightflow.testing.samples import sample_image_bytes

T = TypeVar("T")


async def check_remote_work(
    name: str, backend: Backend, call: Call, steps: Sequence[Step], done: Completed, free: bool
) -> None:
    """What `fetcher`, `maker` and `prepare_apart` of `backend` give can be pickled, and does in another process
    what the backend did of `call`, whose `steps` led to `done`. `free`: whether the model has no price."""
    known = [step for step in steps if isinstance(step, ResultKnown)]
    if isinstance(backend, HasFetcher):
        for step in known:
            fetch = backend.fetcher(step)
            if fetch is not None:
                data = await asyncio.to_thread(_travelled(name, "fetcher", fetch))
                assert data == done.data, f"{name}: `fetcher` downloads other bytes than `collect`"
    if isinstance(backend, HasMaker):
        make = backend.maker(call.job)
        assert make is None or free, f"{name}: `maker` would make jobs that are paid for"
        if make is not None:
            made = _travelled(name, "maker", make)
            data = await asyncio.to_thread(made, sample_image_bytes())
            if data != done.data:
                probe(data)
                repeats = await _again(backend, call) == done.data
                assert not repeats, f"{name}: `maker` makes other bytes than `submit`"
    if isinstance(backend, HasUploader):

        async def send(upload: Callable[[bytes], Any]) -> Any:
            sent = _travelled(name, "prepare_apart", upload)
            await asyncio.to_thread(sent, sample_image_bytes())  # a task may be done twice
            return await asyncio.to_thread(sent, sample_image_bytes())

        await backend.prepare_apart(call.job.image, send)


async def _again(backend: Backend, call: Call) -> bytes:
    """What the backend makes of a free call a second time: not every model repeats itself."""
    step = await backend.submit(replace(call, name=uuid4().hex))
    while not isinstance(step, Completed):
        step = await backend.collect(step)
    return step.data


def _travelled(name: str, method: str, work: Callable[..., T]) -> Callable[..., T]:
    """As it arrives on another machine."""
    try:
        found: Callable[..., T] = pickle.loads(pickle.dumps(work))  # noqa: S301  a line above
    except Exception as error:
        raise AssertionError(
            f"{name}: what `{method}` gives cannot be pickled ({error}); give a partial of a "
            "function of a module"
        ) from error
    return found
