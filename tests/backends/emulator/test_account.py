from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.server import start
from relightflow.errors import UsageError


async def test_journal_has_a_line_for_each_billed_call_and_no_other(
    connect: Any, tmp_path: Path
) -> None:
    plan = "rules: [{at: submit, nth: 2, fault: job-failed}]"
    client = await connect(plan, journal=tmp_path / "bill.jsonl")
    for api in ("v1", "v2", "v2"):
        await client.run(api)
    await client.run(light_direction="bottom")
    lines = [json.loads(line) for line in (tmp_path / "bill.jsonl").read_text().splitlines()]
    assert [line["api"] for line in lines] == ["v1", "v2"]
    assert lines == [row for row in client.emulator.bill()["requests"] if row["billed"]]


async def test_journal_has_its_line_before_the_answer_leaves(connect: Any, tmp_path: Path) -> None:
    journal = tmp_path / "bill.jsonl"
    client = await connect("rules: [{at: submit, fault: cut}]", journal=journal)
    async with client.post() as answer:
        assert answer.headers["x-request-id"] in journal.read_text()


async def test_journal_is_appended_to(connect: Any, tmp_path: Path) -> None:
    journal = tmp_path / "bill.jsonl"
    journal.write_text("{}\n")
    client = await connect(journal=journal)
    await client.run()
    assert len(journal.read_text().splitlines()) == 2


async def test_bill_has_every_request_with_what_was_asked(connect: Any) -> None:
    client = await connect()
    await client.run("v2", image="https://example.com/a.jpg")
    bill = (await client.get("/__bill", key=None)).json
    assert bill == client.emulator.bill()
    (row,) = bill["requests"]
    assert row["image"] == "https://example.com/a.jpg"
    assert row["parameters"]["light_type"] == "softbox"
    assert bill["totals"] == {"requests": 1, "billed": 1, "unbilled": 0, "cost": 0.05}


async def test_image_sent_inline_is_billed_by_its_hash(connect: Any) -> None:
    client = await connect()
    await client.run()
    (row,) = client.emulator.bill()["requests"]
    assert row["image"].startswith("data:sha256=")
    assert len(row["image"]) < 100


async def test_journal_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        await start(Config(journal=tmp_path / "none" / "bill.jsonl"))
