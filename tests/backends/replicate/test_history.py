"""What the list of predictions settles, and what it leaves open; against a server of other habits too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from relightflow.backends.history.records import at_once
from relightflow.backends.replicate.models import TABLE
from relightflow.model.evidence import Needs
from relightflow.model.step import ResultKnown
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate

VERSION = TABLE[0].version


async def test_a_call_that_was_taken_is_adopted_with_its_result_and_its_cost(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    lost = await context.made(1)
    ((number, step),) = (await context.look_up(lost)).adopted
    assert isinstance(step, ResultKnown)
    assert (number, step.request_id, step.cost) == (1, lost.url, 9750)
    assert (await context.finish(step)).data


async def test_what_was_given_up_is_unbilled_and_what_ran_needs_a_person(
    connect: Connect, emulate: Emulate
) -> None:
    fault = "fault: job-failed, with"
    plan = f"rules: [{{at: submit, nth: 1, {fault}: {{error: aborted}}}}, {{at: submit, nth: 2, {fault}: {{error: boom}}}}]"
    context = await connect((await emulate(plan)).url)
    aborted, ran = await context.made(1), await context.made(2)
    found = await context.look_up(replace(aborted, request_id=aborted.url))
    assert [number for number, _ in found.failed] == [1]
    found = await context.look_up(replace(ran, request_id=ran.url))
    ((_, why),) = found.undecided
    assert (why.needs, "boom" in why.why, "is billed" in why.why) == (Needs.PERSON, True, True)


async def test_a_call_that_was_never_taken_is_absent_within_the_hour_and_after_it(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    before = await context.made(1, light_source="Left Light")
    never = await context.made(2, send=False, light_source="Right Light")
    after = await context.made(3, light_source="Top Light")
    assert (await context.look_up(never, before, after)).absent == (2,)
    assert not (await context.look_up(never)).absent, "nobody vouches"
    emulator.provider.clock.shift(3700.0)  # inputs are gone: but all rows are known to be others'
    assert (await context.look_up(never, before, after)).absent == (2,)


async def test_after_an_hour_a_row_that_may_be_the_calls_needs_a_person(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    before = await context.made(1, light_source="Left Light")
    lost = await context.made(2, light_source="Right Light")
    after = await context.made(3, light_source="Top Light")
    emulator.provider.clock.shift(3700.0)
    ((_, why),) = (await context.look_up(lost, before, after)).undecided
    assert why.needs is Needs.PERSON
    found = await context.look_up(replace(lost, request_id=lost.url))
    ((_, why),) = found.undecided
    assert "has deleted the result" in why.why


async def test_the_bill_is_by_the_seconds_that_each_prediction_ran(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.replicate.emulator.predictions._PAGE", 2)
    context = await connect((await emulate()).url)
    calls = [await context.made(number) for number in range(1, 6)]
    rows = await context.backend.bill(calls[0].created - 60, calls[-1].created + 60, at_once)
    assert {row.request_id for row in rows} == {call.url for call in calls}
    assert {row.cost for row in rows} == {9750}


@dataclass
class Habits:
    """A server that agrees with the documentation, and with nobody's idea of the rest."""

    size: int = 100
    change: Callable[[dict[str, Any]], Any] = lambda row: row
    order: Callable[[Sequence[Any]], Sequence[Any]] = lambda rows: rows
    """Of the whole list, newest first."""
    follow: Callable[[int], Any] = lambda at: (
        f"https://api.replicate.com/v1/predictions?cursor={at}"
    )
    filters: bool = True
    """`created_before` is heard."""
    lost: bool = False
    """The first row of every page but the first is missing."""
    late: int = 0
    """Newest rows that are not in the list yet."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0

    def answer(self, first: str, _: dict[str, str], body: bytes) -> bytes:
        method, path = first.split()[:2]
        now = datetime.now(UTC)
        date: Any = {"Date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        if method == "POST":
            sent = json.loads(body)
            row = {
                "id": f"prediction-{len(self.rows):04d}", "model": "zsxkib/ic-light",
                "version": VERSION, "input": sent["input"], "status": "succeeded",
                "output": ["https://replicate.delivery/a.webp"], "error": None,
                "created_at": now.isoformat(), "metrics": {"predict_time": 4.0},
            }  # fmt: skip
            self.rows.append(row)
            return answer(200, row, **date)
        if not path.startswith("/v1/predictions"):
            return answer(404, {"detail": "no such page", "status": 404}, **date)
        self.looks += 1
        asked = dict(parse_qsl(urlsplit(path).query))
        until = asked.get("created_before", "9999") if self.filters else "9999"
        shown = [row for row in self.rows[::-1][self.late :] if row["created_at"] < until]
        listed = self.order([self.change(dict(row)) for row in shown])
        at = int(asked.get("cursor", 0))
        more = at + self.size < len(listed)
        page = {"results": listed[at + (self.lost and at > 0) : at + self.size], "previous": None}
        return answer(200, page | {"next": self.follow(at + self.size) if more else None}, **date)


def _inputs(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row | {"input": change(dict(row["input"]))}


READABLE = {
    "as documented": Habits(),
    "small pages": Habits(size=2),
    "oldest first": Habits(order=lambda rows: rows[::-1]),
    "in any order": Habits(order=lambda rows: sorted(rows, key=lambda r: r["id"][-1])),
    "the next page is a path": Habits(size=2, follow=lambda at: f"/v1/predictions?cursor={at}"),
    "the next page is elsewhere": Habits(size=2, follow=lambda at: f"http://10.0.0.1/?cursor={at}"),
    "no model": Habits(change=lambda row: row | {"model": None}),
    "inputs as text": Habits(change=lambda row: row | {"input": json.dumps(row["input"])}),
    "times without a zone": Habits(change=lambda row: row | {"created_at": row["created_at"][:26]}),
    "more fields": Habits(change=lambda row: row | {"source": "api", "data_removed": False}),
}
"""Habits of which the evidence is as good."""
UNREADABLE = {
    "pages of one row": Habits(size=1),
    "pages, and no other way to read them": Habits(size=2, filters=False),
    "a row lost between two pages": Habits(size=2, filters=False, lost=True),
    "a row lost between two pages, whatever they hold": Habits(size=2, lost=True),
    "oldest first, in pages": Habits(size=2, order=lambda rows: rows[::-1]),
    "a row twice": Habits(size=2, order=lambda rows: [*rows, *rows]),
    "the same page again and again": Habits(size=1, follow=lambda _: "?cursor=1"),
    "no inputs": Habits(change=_inputs(lambda _: {})),
    "images re-hosted": Habits(change=_inputs(lambda i: i | {"subject_image": "https://cdn.x/1"})),
    "defaults filled in": Habits(change=_inputs(lambda i: i | {"seed": 7})),
    "values as text": Habits(change=_inputs(lambda i: {k: str(v) for k, v in i.items()})),
    "deleted at once": Habits(
        change=lambda r: r | {"input": {}, "output": None, "data_removed": True}
    ),
    "no times": Habits(change=lambda row: row | {"created_at": None}),
    "no ids": Habits(change=lambda row: row | {"id": None}),
    "rows that are none": Habits(change=lambda _: "row"),
    "the newest is late": Habits(late=1),
    "all are late": Habits(late=9),
    "another model's name": Habits(change=lambda r: r | {"model": "x/y", "version": "hidden"}),
}
"""Habits of which no call is called absent that was taken."""


@pytest.mark.parametrize("habits", READABLE.values(), ids=READABLE)
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "never taken"])
async def test_a_list_of_other_habits_is_read_as_well(
    connect: Connect, listen: Listen, habits: Habits, taken: bool
) -> None:
    habits = replace(habits, rows=[])
    context = await connect(await listen(replying(habits.answer)), delivery="inline")
    before = await context.made(1, light_source="Left Light")
    doubt = await context.made(2, send=taken, light_source="Right Light")
    after = await context.made(3, light_source="Top Light")
    found = await context.look_up(doubt, before, after)
    if taken:
        ((number, step),) = found.adopted
        assert isinstance(step, ResultKnown)
        assert (number, step.request_id) == (2, doubt.url)
    else:
        assert found.absent == (2,), found.undecided


@pytest.mark.parametrize("habits", UNREADABLE.values(), ids=UNREADABLE)
async def test_no_list_makes_a_call_absent_that_was_taken(
    connect: Connect, listen: Listen, habits: Habits
) -> None:
    """Neither a call before or after it, nor one of a known id, is taken for it either."""
    habits = replace(habits, rows=[])
    context = await connect(await listen(replying(habits.answer)), delivery="inline")
    before = await context.made(1, light_source="Left Light")
    doubt = await context.made(2, light_source="Right Light")
    after = await context.made(3, light_source="Top Light")
    found = await context.look_up(doubt, before, after)
    assert not found.absent
    assert not found.failed
    assert {step.request_id for _, step in found.adopted} <= {doubt.url}


@pytest.mark.parametrize(
    "page",
    [
        {"rows": []},
        {"results": {}},
        {"results": [], "next": 7},
        {"results": [], "next": "https://["},
    ],
    ids=str,
)
async def test_a_page_of_another_shape_proves_nothing(
    connect: Connect, listen: Listen, page: dict[str, Any]
) -> None:
    context = await connect(await listen(replying(lambda *_: answer(200, page))))
    failure = await error(context.backend.bill(0.0, 1.0, at_once))
    assert "unknown format" in failure.message
