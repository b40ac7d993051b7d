from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from relightflow.backends.emulator.images import tiny
from tests.backends.queued import Emulate
from tests.backends.replicate.conftest import KEY

HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("field", ["content", "file"])
async def test_a_file_is_kept_and_only_the_key_opens_it(emulate: Emulate, field: str) -> None:
    emulator = await emulate()
    form: Any = aiohttp.FormData()
    form.add_field(field, tiny(), filename="a.jpg", content_type="image/jpeg")
    async with aiohttp.ClientSession() as session:
        async with session.post(emulator.url + "/v1/files", data=form, headers=HEADERS) as answer:
            found = await answer.json()
        if field != "content":
            assert (answer.status, found["title"]) == (400, "Invalid request")
            return
        assert (answer.status, found["size"]) == (201, len(tiny()))
        for headers, status in ((HEADERS, 200), ({}, 401)):
            async with session.get(found["urls"]["get"], headers=headers) as answer:
                assert answer.status == status
        emulator.provider.clock.shift(90_000.0)
        async with session.get(found["urls"]["get"], headers=HEADERS) as answer:
            assert answer.status == 404
