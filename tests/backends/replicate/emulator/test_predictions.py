"""Replicate's own client against the emulator, unchanged; and what the emulator keeps and deletes."""

from __future__ import annotations

import asyncio
import io
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError

from relightflow.backends.emulator.images import tiny
from relightflow.backends.replicate.emulator.predictions import IC_LIGHT, QWEN, VERSIONS
from tests.backends.queued import Emulate
from tests.backends.replicate.conftest import KEY

[VERSION] = VERSIONS
INPUT = {"prompt": "dusk", "light_source": "Left Light", "seed": 7}
Sdk = Callable[..., Any]


@pytest.fixture
def sdk(emulate: Emulate) -> Sdk:
    """`await sdk(work, plan, …)`: what `work` makes of a client, in a thread; and the emulator."""

    async def use(work: Callable[[Client], Any], plan: str = "", **facts: Any) -> Any:
        emulator = await emulate(plan, **facts)

        def in_thread() -> Any:
            client = Client(api_token=KEY, base_url=emulator.url)
            try:
                return work(client)
            finally:
                client._client.close()

        return await asyncio.to_thread(in_thread), emulator

    return use


async def test_the_official_client_gets_its_image(sdk: Sdk) -> None:
    def work(client: Client) -> Any:
        image = io.BytesIO(tiny())
        [found] = client.run(f"{IC_LIGHT}:{VERSION}", input={"subject_image": image, **INPUT})
        with urllib.request.urlopen(str(found)) as answer:
            return answer.read()

    data, emulator = await sdk(work)
    [row] = emulator.bill()["requests"]
    assert data.startswith(b"\xff\xd8")
    assert (row["model"], row["parameters"], row["cost"]) == (IC_LIGHT, INPUT, 0.00975)
    assert row["image"].startswith(emulator.url), "the client uploads what is a file"


async def test_an_official_model_is_called_by_its_name(sdk: Sdk) -> None:
    def work(client: Client) -> Any:
        made = client.models.predictions.create(
            QWEN, input={"image": "https://example.com/a.jpg", "prompt": "dusk"}
        )
        made.wait()
        return made

    found, _ = await sdk(work)
    assert (found.status, found.version, len(found.output)) == ("succeeded", "hidden", 1)


async def test_the_client_reads_failures_and_refusals(sdk: Sdk) -> None:
    def failing(client: Client) -> Any:
        image = "https://example.com/a.jpg"
        return client.run(f"{IC_LIGHT}:{VERSION}", input={"subject_image": image, **INPUT})

    with pytest.raises(ModelError, match="No face found"):
        await sdk(failing, "rules: [{at: submit, fault: job-failed, with: {error: No face found}}]")
    with pytest.raises(ReplicateError, match="valid authentication token"):
        await sdk(failing, keys=frozenset({"r8_another"}))
    with pytest.raises(ReplicateError, match="insufficient credit"):
        await sdk(failing, credits=0)

    def refused(client: Client) -> Any:
        inputs = {"subject_image": "https://example.com/a.jpg", "prompt": "x", "light_source": "up"}
        return client.predictions.create(version=VERSION, input=inputs)

    with pytest.raises(ReplicateError, match="light_source must be one of"):
        await sdk(refused)


async def test_an_hour_later_the_row_is_there_and_nothing_that_it_held(sdk: Sdk) -> None:
    def work(client: Client) -> Any:
        inputs = {"subject_image": "https://example.com/a.jpg", **INPUT}
        made = client.predictions.create(version=VERSION, input=inputs)
        before = client.predictions.list().results
        return made, before

    (made, before), emulator = await sdk(work, record_life=3600.0)
    assert [row.input["prompt"] for row in before] == ["dusk"]
    emulator.provider.clock.shift(3601.0)

    def again() -> Any:
        client = Client(api_token=KEY, base_url=emulator.url)
        try:
            return client.predictions.get(made.id), client.predictions.list().results
        finally:
            client._client.close()

    found, rows = await asyncio.to_thread(again)
    assert (found.status, found.output, found.input) == ("succeeded", None, {})
    assert [row.id for row in rows] == [made.id]


async def test_the_list_is_paged_by_cursor_newest_first(
    sdk: Sdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.replicate.emulator.predictions._PAGE", 2)

    def work(client: Client) -> Any:
        inputs = {"subject_image": "https://example.com/a.jpg", **INPUT}
        made = [client.predictions.create(version=VERSION, input=inputs).id for _ in range(5)]
        first = client.predictions.list()
        second = client.predictions.list(first.next)
        return made, [row.id for row in (*first.results, *second.results)]

    (made, listed), _ = await sdk(work)
    assert listed == made[::-1][:4]
