"""fal's own client against the emulator, unchanged: it submits, polls, and reads failures."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import fal_client
import pytest
from fal_client import client as fal_constants

from relightflow.backends.emulator.images import tiny
from tests.backends.fal.conftest import KEY
from tests.backends.queued import Emulate

MODEL = "bria/fibo-edit/relight"
CELL = {"light_direction": "front", "light_type": "midday"}
Sdk = Callable[..., Any]


@pytest.fixture
def sdk(emulate: Emulate, monkeypatch: pytest.MonkeyPatch) -> Sdk:
    """`await sdk(work, plan, …)`: what `work` makes of a client, in a thread."""

    async def use(
        work: Callable[[fal_client.SyncClient], Any], plan: str = "", **facts: Any
    ) -> Any:
        emulator = await emulate(plan, **facts)
        monkeypatch.setattr(fal_constants, "QUEUE_URL_FORMAT", f"{emulator.url}/")
        monkeypatch.setattr(fal_constants, "REST_URL", emulator.url)
        monkeypatch.setattr(fal_constants, "CDN_URL", emulator.url)
        make, made = fal_client.SyncClient._get_cdn_client, []

        def noted(client: fal_client.SyncClient) -> Any:
            made.append(make(client))
            return made[-1]

        # it never closes its connections to the storage
        monkeypatch.setattr(fal_client.SyncClient, "_get_cdn_client", noted)

        def in_thread() -> Any:
            client = fal_client.SyncClient(key=KEY)
            try:
                return work(client)
            finally:
                for one in (client._client, *made):
                    one.close()

        return await asyncio.to_thread(in_thread), emulator

    return use


def _data_uri() -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(tiny()).decode()}"


async def test_submit_and_get_give_the_result(sdk: Sdk) -> None:
    def work(client: fal_client.SyncClient) -> Any:
        handle = client.submit(MODEL, {"image_url": _data_uri(), **CELL})
        return handle.get(interval=0.01)

    result, emulator = await sdk(work, latency=(0.05, 0.05))
    assert result["image"]["content_type"] == "image/jpeg"
    assert emulator.bill()["totals"]["billed"] == 1


async def test_an_upload_gives_a_url_that_a_call_can_use(sdk: Sdk) -> None:
    def work(client: fal_client.SyncClient) -> Any:
        url = client.upload(tiny(), "image/jpeg", file_name="a.jpg")
        return client.submit(MODEL, {"image_url": url, **CELL}).get(interval=0.01)

    result, _ = await sdk(work)
    assert result["image"]["width"] == 256


@pytest.mark.parametrize(("error", "status"), [("no memory", 500), ("refused: unsafe", 422)])
async def test_a_failed_call_raises_with_the_models_status(
    sdk: Sdk, error: str, status: int
) -> None:
    def work(client: fal_client.SyncClient) -> Any:
        return client.submit(MODEL, {"image_url": _data_uri()}).get(interval=0.01)

    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await sdk(work, f"rules: [{{at: submit, fault: job-failed, with: {{error: '{error}'}}}}]")
    assert caught.value.status_code == status


async def test_the_client_pays_again_where_an_answer_is_lost(sdk: Sdk) -> None:
    def work(client: fal_client.SyncClient) -> Any:
        return client.submit(MODEL, {"image_url": _data_uri(), **CELL}).get(interval=0.01)

    _, emulator = await sdk(work, "rules: [{at: submit, nth: 1, fault: reset-after-body}]")
    assert emulator.bill()["totals"]["billed"] == 2, "why relightflow does not use it"
