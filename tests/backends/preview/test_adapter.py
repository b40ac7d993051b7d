from __future__ import annotations

import asyncio
import pickle
import threading
from typing import cast

import numpy as np
import pytest

from relightflow.backends.preview import relight
from relightflow.backends.preview.adapter import Preview
from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.plugin import RECORD
from relightflow.images import encode, probe
from relightflow.model.failure import Billed, CallFailed, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Call, HasMaker, Memory
from relightflow.plugins.records import BackendContext

PIXELS = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
IMAGE = Image("a.png", "0" * 64, 1, 60, 40, "image/png", 0, "a.png")


def context() -> BackendContext:
    return BackendContext(MODEL, FrozenMap(), cast(Memory, None), lambda words: None)


def call(prepared: object, **words: str) -> Call:
    cell = FrozenMap({**MODEL.normalise(FrozenMap()), **words})
    return Call(Job("0" * 64, IMAGE, "preview", "preview", cell, 0), prepared)


async def test_a_cell_is_completed_at_once_and_free() -> None:
    backend: Backend = RECORD.make(context())
    await backend.open()
    prepared = await backend.prepare(IMAGE, encode(PIXELS, "image/png"))
    step = await backend.submit(call(prepared))
    assert isinstance(step, Completed)
    assert step.cost == 0
    assert (probe(step.data).width, probe(step.data).height) == (60, 40)
    assert await backend.collect(step) is step
    await backend.close()


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
async def test_a_result_is_of_the_inputs_type(media_type: str) -> None:
    backend = Preview(context())
    await backend.open()
    prepared = await backend.prepare(IMAGE, encode(PIXELS, media_type))
    step = await backend.submit(call(prepared))
    assert isinstance(step, Completed)
    assert probe(step.data).media_type == media_type
    await backend.close()


async def test_a_worker_makes_the_same_bytes() -> None:
    backend = RECORD.make(context())
    assert isinstance(backend, HasMaker)
    data = encode(PIXELS, "image/png")
    step = await backend.submit(call(await backend.prepare(IMAGE, data), light_direction="left"))
    assert isinstance(step, Completed)
    make = backend.maker(call(None, light_direction="left").job)
    assert make is not None
    assert pickle.loads(pickle.dumps(make))(data) == step.data
    with pytest.raises(CallFailed) as raised:
        make(data[:-200])
    assert raised.value.failure.kind is FailureKind.BAD_IMAGE


async def test_a_damaged_image_fails_by_item_and_unbilled() -> None:
    backend = Preview(context())
    await backend.open()
    with pytest.raises(
        CallFailed, match=r"a\.png cannot be relit: the PNG is truncated"
    ) as refusal:
        await backend.prepare(IMAGE, encode(PIXELS, "image/png")[:-30])
    assert refusal.value.failure.kind is FailureKind.BAD_IMAGE
    assert refusal.value.failure.billed is Billed.NO
    await backend.close()


async def test_a_word_it_does_not_know_is_refused_for_its_cell() -> None:
    backend = Preview(context())
    with pytest.raises(CallFailed, match="'bottom' is not allowed; allowed: left") as refusal:
        await backend.submit(call(None, light_direction="bottom"))
    assert refusal.value.failure.kind is FailureKind.REFUSED_CELL


async def test_several_cells_at_a_time_give_the_same_bytes_as_one_by_one() -> None:
    backend = Preview(context())
    await backend.open()
    prepared = await backend.prepare(IMAGE, encode(PIXELS, "image/jpeg"))
    calls = [
        call(prepared, light_direction=d, light_type=t)
        for d in ("left", "right", "top", "back")
        for t in ("softbox", "sunlight")
    ]
    together = await asyncio.gather(*(backend.submit(c) for c in calls))
    alone = [await backend.submit(c) for c in calls]
    assert together == alone
    assert len({step.data for step in alone if isinstance(step, Completed)}) == len(calls)
    await backend.close()


async def test_decoding_does_not_block_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding waits for the loop to turn once more: on the loop itself, that could never be."""
    turned = threading.Event()
    decode = relight.prepare

    def after_the_loop_turned(data: bytes) -> relight.Prepared:
        assert turned.wait(timeout=20)
        return decode(data)

    monkeypatch.setattr(relight, "prepare", after_the_loop_turned)
    backend = Preview(context())
    await backend.open()
    preparing = asyncio.create_task(backend.prepare(IMAGE, encode(PIXELS, "image/png")))
    await asyncio.sleep(0)
    turned.set()
    assert isinstance(await preparing, relight.Prepared)
    await backend.close()


async def test_closing_ends_every_thread() -> None:
    backend = Preview(context())
    await backend.open()
    await backend.prepare(IMAGE, encode(PIXELS, "image/png"))
    await backend.close()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("preview")]
    await backend.close()
