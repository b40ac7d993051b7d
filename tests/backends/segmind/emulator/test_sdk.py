"""The provider's official SDK against the emulator, unchanged.

It takes the API's address as an argument, and has the upload's and the history's hosts as two
constants of its own; only those two are moved.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from segmind import InferenceFailed, SegmindClient, SegmindError
from segmind.files import Files

from relightflow.backends.emulator.images import media_type, tiny

GENERATIONS = importlib.import_module("segmind.generations")
"""The module: the package has an object of the same name."""
KEY = "SG_0123456789abcdef"
MODEL = "segmind-relighting"
CELL = {
    "image": "https://example.com/a.jpg",
    "light_direction": "left",
    "light_intensity": "mood",
    "light_temperature": "warm",
    "light_type": "softbox",
}
Sdk = Callable[..., Any]


@pytest.fixture
def sdk(connect: Any, monkeypatch: pytest.MonkeyPatch) -> Sdk:
    """`await sdk(work, plan, …)`: what `work` makes of an SDK client, in a thread."""

    async def use(work: Callable[[SegmindClient], Any], plan: str = "", **facts: Any) -> Any:
        url = (await connect(plan, **facts)).emulator.url
        monkeypatch.setattr(Files, "STORAGE_BASE_URL", url)
        history = f"{url}/inference-request/request-history"
        monkeypatch.setattr(GENERATIONS, "REQUEST_HISTORY_URL", history)

        def in_thread() -> Any:
            client = SegmindClient(api_key=KEY, base_url=f"{url}/v1")
            with client._client:
                return work(client)

        return await asyncio.to_thread(in_thread)

    return use


async def test_run_submits_polls_and_returns_the_result(sdk: Sdk) -> None:
    result = await sdk(lambda client: client.run(MODEL, **CELL))
    assert result["status"] == "COMPLETED"
    assert result["metrics"]["cost"] == 0.05


async def test_run_sync_returns_the_image(sdk: Sdk) -> None:
    answer = await sdk(lambda client: client.run_sync(MODEL, **CELL))
    assert media_type(answer.content) == answer.headers["content-type"] == "image/jpeg"


async def test_submit_async_gives_a_job_that_can_be_waited_for(sdk: Sdk) -> None:
    def work(client: SegmindClient) -> tuple[str, dict[str, Any]]:
        job = client.submit_async(MODEL, **CELL)
        return job.request_id, job.wait(interval=0.05)

    request_id, result = await sdk(work, latency=(0.1, 0.1))
    assert (result["request_id"], result["status"]) == (request_id, "COMPLETED")


async def test_upload_gives_a_url_that_a_run_can_use(sdk: Sdk, tmp_path: Path) -> None:
    image_bytes = tmp_path / "a.jpg"
    image_bytes.write_bytes(tiny())

    def work(client: SegmindClient) -> Any:
        (url,) = client.files.upload(image_bytes)["file_urls"]
        return client.run(MODEL, **CELL | {"image": url})

    assert (await sdk(work))["status"] == "COMPLETED"


async def test_history_and_get_show_the_request(sdk: Sdk) -> None:
    def work(client: SegmindClient) -> tuple[Any, Any]:
        client.run(MODEL, **CELL)
        (row,) = client.generations.history(per_page=5, model_name=MODEL)["data"]
        return row, client.generations.get(row["request_id"])

    row, one = await sdk(work)
    assert row == one
    assert row["request_body"] == CELL
    assert (row["model_status"], row["credits_deduction"]) == ("COMPLETED", 0.05)


async def test_failed_job_raises_its_own_error(sdk: Sdk) -> None:
    with pytest.raises(InferenceFailed, match="no face"):
        await sdk(
            lambda client: client.run(MODEL, **CELL),
            "rules: [{at: submit, fault: job-failed, with: {error: no face}}]",
        )


async def test_refusal_raises_its_own_error_with_the_text(sdk: Sdk) -> None:
    with pytest.raises(SegmindError, match="Insufficient credits"):
        await sdk(lambda client: client.run_sync(MODEL, **CELL), credits=10)
