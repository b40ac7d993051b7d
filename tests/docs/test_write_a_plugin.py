"""The code of the guide that is no part of `plugins new` does what the page says."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import relightflow
from relightflow import Accepted, FrozenMap, Micros, Model, Needs, RecordsQuery, testing
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed
from relightflow.plugins.backend import Call

GUIDE = Path(__file__).parents[2] / "docs/how-to/write-a-plugin.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
MODEL = Model("acme-1", (), relightflow.Price(40_000, 40_000))
JOB = testing.sample_job(
    testing.sample_image(testing.sample_image_bytes()), "acme", MODEL, FrozenMap()
)
ROW = {"id": "job-1", "label": JOB.id, "model": "acme-1", "state": "done", "cost": 40_000}


def run(*beginnings: str) -> dict[str, Any]:
    """What the blocks that begin so define."""
    names = {name: getattr(relightflow, name) for name in relightflow.__all__}
    names |= {name: getattr(testing, name) for name in testing.__all__}
    names |= {"hashlib": hashlib, "secrets": secrets, "math": math}
    names |= {"Path": Path, "Iterator": Iterator, "Acme": relightflow.Backend}
    for beginning in beginnings:
        (block,) = [block for block in BLOCKS if block.startswith(beginning)]
        exec(block, names)
    return names


def attempt(number: int, label: str = JOB.id) -> Attempt:
    return Attempt(
        number, JOB.key, "run", State.UNKNOWN, "acme", "acme-1", JOB.image.sha256, FrozenMap(),
        0, 40_000, None, Billed.UNKNOWN, "", "", "", "", 1.0, 1.0, FrozenMap({"label": label}),
    )  # fmt: skip


def shown(rows: list[dict[str, Any]]) -> Any:
    class Acme(run("class AcmeWithRecords")["AcmeWithRecords"]):  # type: ignore[misc]  # made by exec
        async def _rows(self, *_: object) -> list[dict[str, Any]]:
            return rows

    return Acme()


async def never(_: relightflow.Failure) -> None:
    raise AssertionError("nothing has failed")


def test_the_source_and_the_sink_pass_their_kits(tmp_path: Path) -> None:
    names = run("class Tray", "class Mirror", "SOURCE = ")
    for test in ("test_source", "test_sink"):
        (tmp_path / test).mkdir()
        names[test](tmp_path / test)


def test_the_source_refuses_what_leads_out_and_goes_on(tmp_path: Path) -> None:
    names = run("class Tray", "class Mirror", "SOURCE = ")
    (tmp_path / "tray.txt").write_text("../b.png\nmissing.png\n/etc/passwd\n")
    context = relightflow.SourceContext(tmp_path, FrozenMap({"list": "tray.txt"}), 0)
    assert [item.refused for item in names["Tray"](context).scan()] == [True, False, True]
    for options in ({"list": "../tray.txt"}, {"list": "/etc/passwd"}):
        with pytest.raises(relightflow.RefusedError, match="leads out"):
            names["Tray"](relightflow.SourceContext(tmp_path, FrozenMap(options), 0))


@pytest.mark.parametrize(
    ("rows", "doubts", "known", "adopted"),
    [
        ([ROW], [attempt(1)], set(), True),
        ([ROW, {**ROW, "id": "job-2"}], [attempt(1)], set(), False),
        ([ROW, {**ROW, "id": "job-2"}], [attempt(1)], {"job-2"}, True),
        ([ROW], [attempt(1), attempt(2)], set(), False),
        ([{**ROW, "label": ""}], [attempt(1, label="")], set(), False),
        ([], [attempt(1)], set(), False),
    ],
)
async def test_the_records_adopt_only_what_is_certain(
    rows: list[dict[str, Any]], doubts: list[Attempt], known: set[str], adopted: bool
) -> None:
    query = RecordsQuery(tuple(doubts), (), frozenset(known), 600.0)
    found = await shown(rows).look_up(query, never)
    assert found.adopted == (((1, Accepted("job-1")),) if adopted else ())
    assert not found.absent
    left = [] if adopted else [doubt.id for doubt in doubts]
    assert [number for number, _ in found.undecided] == left
    assert all(why.needs is Needs.PERSON for _, why in found.undecided)


async def test_the_label_and_the_bill_are_what_is_documented() -> None:
    acme = shown([{**ROW, "created": 1.0}])
    assert acme.intent_details(Call(JOB, None)) == FrozenMap({"label": JOB.id})
    (row,) = await acme.bill(0.0, 2.0, never)
    assert (row.request_id, row.cost) == ("job-1", 40_000)


def test_the_balance_is_in_micro_dollars() -> None:
    class Acme(run("class AcmeWithBalance")["AcmeWithBalance"]):  # type: ignore[misc]  # made by exec
        async def _cents(self) -> Micros:
            return 1250

    assert asyncio.run(Acme().balance()).credits == relightflow.micros("12.50")


def test_the_check_of_the_guide_passes_the_kit(tmp_path: Path) -> None:
    made = run("from collections.abc import Iterable, Sequence")
    assert made["relightflow_checks"]() == [made["BACKDROP"]]
    testing.verify_check(made["BACKDROP"], tmp_path, {"at_least": 200})
