"""No fault of the records makes a call that was taken look absent: simulated histories, every fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relightflow.backends.history.absence import Bracket, bracket
from relightflow.backends.history.lookup import look_up
from relightflow.backends.history.matching import Matcher
from relightflow.backends.history.records import HistoryListing, Span
from relightflow.backends.segmind import listing, rows
from relightflow.backends.segmind.history import SegmindHistory
from relightflow.backends.segmind.listing import Page
from relightflow.backends.segmind.models import MODELS, TABLE
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import (
    ACCOUNT,
    DIGEST,
    SERVER_TIME,
    Evidence,
    Needs,
    Undecided,
    digest,
)
from relightflow.model.failure import Billed, CallFailed, Failure
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import RecordsQuery, Retry

AT = 1_795_435_200.0
LAG = 600.0
CELLS = tuple(
    MODELS[0].normalise(FrozenMap({"light_direction": value})) for value in ("left", "right", "top")
)


@dataclass(frozen=True)
class Made:
    """One call of a simulated past."""

    cell: int
    image: int
    at: float
    """Seconds after `AT`."""
    fate: str
    """known: answered; lost: taken, and the answer never came; never: never taken."""
    key: str = "own"
    """own and new: of the account whose records are read; other: of another one."""
    model: str = "segmind-relighting"


@dataclass(frozen=True)
class Faults:
    """How the records are told."""

    lag: float = 0.0
    jitter: float = 0.0
    """Seconds by which the lags of two calls differ at most."""
    inputs: str = "as sent"
    model: str = "segmind-relighting"
    page_size: int = 100
    base: int = 1
    offset_as_asked: bool = False
    moving: bool = False
    copies: int = 1
    total: bool = False
    ascending: bool = False
    keeps: float = 1e12
    """Seconds for which a row stays."""
    skew: float = 0.0
    """Seconds by which the rows' times are ahead."""
    strangers: int = 0
    hides: str = ""
    """A model whose calls are not in these records."""


@dataclass
class World:
    past: tuple[Made, ...]
    faults: Faults
    now: float
    """Seconds after `AT` at which the records are read."""

    def url(self, image: int) -> str:
        return f"https://images.segmind.com/assets/{image}.jpg"

    def attempt(self, number: int, made: Made) -> Attempt:
        details = {DIGEST: digest(self.url(made.image)), "inline": False, "api": "v2"}
        return Attempt(
            id=number,
            job_key=f"{made.cell}-{made.image}",
            run_id="r",
            state=State.DONE if made.fate == "known" else State.UNKNOWN,
            backend="segmind",
            model=made.model,
            image_sha256="0" * 64,
            parameters=CELLS[made.cell],
            repeat=number,
            price=50_000,
            cost=None,
            billed=Billed.UNKNOWN,
            request_id=f"request-{number:04d}" if made.fate == "known" else "",
            url="",
            blob="",
            reason="",
            created=0.0,
            updated=0.0,
            details=FrozenMap({**details, SERVER_TIME: AT + made.at, ACCOUNT: made.key}),
        )

    def raw(self, number: int, made: Made) -> dict[str, Any]:
        image: object = self.url(made.image)
        body: object = {"image": image, **CELLS[made.cell]}
        assert isinstance(body, dict)
        match self.faults.inputs:
            case "rehosted":
                body = {**body, "image": f"https://cdn.example.org/{number}"}
            case "rehosted sometimes":
                body = (
                    {**body, "image": f"https://cdn.example.org/{number}"} if number % 2 else body
                )
            case "upper":
                body = {k: v.upper() if k != "image" else v for k, v in body.items()}
            case "upper sometimes":
                body = {k: v.upper() if k != "image" and number % 2 else v for k, v in body.items()}
            case "text":
                body = repr(body).replace("'", '"')
            case "unreadable":
                body = "[object Object]"
            case "absent":
                body = None
        return {
            "request_id": f"request-{number:04d}",
            "model_name": made.model if made.model != MODELS[0].name else self.faults.model,
            "model_status": "COMPLETED",
            "credits_deduction": 0.05,
            "request_body": body,
            "generation_url": f"https://images.segmind.com/{number}",
            "model_created": AT + made.at + 0.3 + self.faults.skew,
        }

    def shown(self) -> list[dict[str, Any]]:
        told = []
        for number, made in enumerate(self.past):
            late = self.faults.lag + self.faults.jitter * ((number * 7) % 5) / 5
            age = self.now - made.at
            theirs = made.fate == "never" or made.key == "other" or made.model == self.faults.hides
            if not theirs and late <= age <= self.faults.keeps:
                told += [self.raw(number, made)] * self.faults.copies
        for number in range(self.faults.strangers):
            made = Made(number % 3, 1000 + number, self.now - 30 - number, "known")
            told.append(self.raw(5000 + number, made))
        told.sort(key=lambda row: row["model_created"], reverse=not self.faults.ascending)
        return told

    def fetch(self) -> listing.Fetch:
        asked = 0

        async def page(number: int, size: int) -> Page | None:
            nonlocal asked
            asked += 1
            told = self.shown()
            total = len(told) if self.faults.total else None
            if self.faults.moving and number > self.faults.base:
                told = told[1 + asked % 2 :]
            held = min(size, self.faults.page_size)
            first = (number - self.faults.base) * (size if self.faults.offset_as_asked else held)
            return Page(tuple(told[first : first + held]), total) if first >= 0 else None

        return page

    async def look(self) -> Evidence:
        attempts = [self.attempt(number, made) for number, made in enumerate(self.past)]
        doubts = tuple(a for a in attempts if not a.request_id)
        known = tuple(a for a in attempts if a.request_id)
        ids = frozenset(a.request_id for a in known)
        return await look_up(records(self), RecordsQuery(doubts, known, ids, LAG), _at_once)


def records(world: World) -> _Records:
    return _Records(None, Matcher.of(TABLE), True, world)  # type: ignore[arg-type]  # no API is asked


@dataclass(frozen=True, slots=True)
class _Records(SegmindHistory):
    world: World

    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        fetch = self.world.fetch()
        found = await (
            listing.read_whole(fetch, rows.created, rows.identity, span)
            if whole
            else listing.read_once(fetch, rows.created, span.since)
        )
        return HistoryListing(tuple(rows.row(r) for r in found.rows), found.since, found.doubt)

    async def server_time(self, retry: Retry) -> float | None:
        return AT + self.world.now


async def _at_once(failure: Failure) -> None:
    raise CallFailed(failure)


made = st.builds(
    Made,
    st.integers(0, 2),
    st.integers(0, 3),
    st.just(0.0),
    st.sampled_from(["known", "known", "known", "lost", "never"]),
    st.sampled_from(["own", "own", "own", "own", "new", "other"]),
    st.sampled_from(["segmind-relighting", "segmind-relighting", "segmind-relighting-v2"]),
)
faults = st.builds(
    Faults,
    lag=st.sampled_from([0.0, 0.0, 5.0, 700.0, 90_000.0]),
    jitter=st.sampled_from([0.0, 0.0, 30.0, 500.0]),
    inputs=st.sampled_from(
        ["as sent", "as sent", "rehosted", "rehosted sometimes", "upper", "upper sometimes", "text",
         "unreadable", "absent"]
    ),
    model=st.sampled_from(["segmind-relighting", "segmind-relighting", "Relighting Pro"]),
    page_size=st.sampled_from([100, 100, 20, 7, 1]),
    base=st.sampled_from([1, 1, 0]),
    offset_as_asked=st.booleans(),
    moving=st.sampled_from([False, False, True]),
    copies=st.sampled_from([1, 1, 2]),
    total=st.booleans(),
    ascending=st.booleans(),
    keeps=st.sampled_from([1e12, 1e12, 3600.0, 650.0]),
    skew=st.sampled_from([0.0, 0.0, 5.5 * 3600, -8 * 3600, 200.0]),
    strangers=st.sampled_from([0, 0, 3, 130]),
    hides=st.sampled_from(["", "", "segmind-relighting", "segmind-relighting-v2"]),
)  # fmt: skip


def spread(calls: list[Made], gaps: list[float]) -> tuple[Made, ...]:
    at, found = 0.0, []
    for call, gap in zip(calls, gaps, strict=False):
        found.append(replace(call, at=at))
        at += gap
    return tuple(found)


pasts = st.builds(
    spread,
    st.lists(made, min_size=2, max_size=40),
    st.lists(st.sampled_from([0.0, 0.01, 2.0, 40.0, 3000.0]), min_size=40, max_size=40),
)


@settings(max_examples=300, deadline=None)
@given(pasts, faults, st.sampled_from([1.0, 601.0, 700.0, 3700.0, 100_000.0]))
@example(
    (Made(0, 0, 0.0, "known"), Made(1, 1, 1.0, "lost"), Made(0, 2, 2.0, "known")),
    Faults(inputs="rehosted"),
    700.0,
)
@example(
    (
        Made(0, 0, 0.0, "known"),
        Made(0, 0, 0.0, "never"),
        Made(0, 0, 0.0, "lost"),
        Made(0, 0, 0.0, "known"),
    ),
    Faults(),
    601.0,
)
@example((Made(1, 1, 0.0, "lost"), Made(0, 2, 30.0, "known")), Faults(keeps=650.0), 640.0)
@example(
    (Made(0, 0, 0.0, "known"), Made(1, 1, 1.0, "lost", "other"), Made(0, 2, 2.0, "known")),
    Faults(),
    700.0,
)
@example(
    (
        Made(0, 0, 0.0, "known"),
        Made(1, 1, 1.0, "lost", model="segmind-relighting-v2"),
        Made(0, 2, 2.0, "known"),
    ),
    Faults(hides="segmind-relighting-v2"),
    700.0,
)
async def test_what_was_taken_is_never_called_absent(
    past: tuple[Made, ...], told: Faults, later: float
) -> None:
    world = World(past, told, past[-1].at + later)
    evidence = await world.look()
    # of equal calls it does not matter which is called absent, only how many
    never = Counter((made.cell, made.image) for made in past if made.fate == "never")
    absent = Counter((past[number].cell, past[number].image) for number in evidence.absent)
    assert absent <= never
    answered = [n for n, _ in (*evidence.adopted, *evidence.failed, *evidence.undecided)]
    doubts = sorted(n for n, call in enumerate(past) if call.fate != "known")
    assert sorted([*answered, *evidence.absent]) == doubts


@settings(deadline=None)
@given(pasts, st.sampled_from([0, 3]))
async def test_in_honest_records_everything_between_known_calls_is_settled(
    past: tuple[Made, ...], strangers: int
) -> None:
    known = Made(0, 0, 0.0, "known")
    last = replace(known, at=past[-1].at + 1 + 20)
    whole = (
        known,
        *(replace(call, at=call.at + 10, key="own", model=MODELS[0].name) for call in past),
        last,
    )
    evidence = await World(whole, Faults(strangers=strangers), last.at + LAG + 1).look()
    never = [n for n, call in enumerate(whole) if call.fate == "never"]
    settled = {n for n, _ in evidence.adopted} | set(evidence.absent)
    doubts = {n for n, call in enumerate(whole) if call.fate != "known"}
    assert settled == doubts
    assert len(evidence.absent) == len(never)


FIRST, LAST = Made(0, 0, 0.0, "known"), Made(0, 3, 20.0, "known")
NEVER = Made(1, 1, 10.0, "never")


async def why(past: tuple[Made, ...], told: Faults, later: float) -> Undecided | None:
    [(_, found)] = (await World(past, told, later).look()).undecided or ((0, None),)
    return found


async def test_a_call_between_two_that_the_records_show_is_absent() -> None:
    evidence = await World((FIRST, NEVER, LAST), Faults(), 700.0).look()
    assert evidence.absent == (1,)


async def test_it_takes_its_time() -> None:
    found = await why((FIRST, NEVER, LAST), Faults(), 100.0)
    assert found
    assert (found.needs, found.at) == (Needs.TIME, AT + 10 + LAG)


async def test_without_a_later_call_the_next_purchase_decides() -> None:
    found = await why((FIRST, NEVER), Faults(), 700.0)
    assert found
    assert found.needs is Needs.PURCHASE


@pytest.mark.parametrize(
    "told",
    [Faults(inputs="rehosted"), Faults(inputs="unreadable"), Faults(model="x"), Faults(skew=5e4)],
)
async def test_records_that_cannot_be_compared_are_a_persons_to_judge(told: Faults) -> None:
    found = await why((FIRST, NEVER, LAST), told, 700.0)
    assert found
    assert found.needs is Needs.PERSON


async def test_records_that_lag_for_hours_are_waited_for() -> None:
    told = Faults(lag=7200.0)
    found = await why((FIRST, NEVER, LAST), told, 700.0)
    assert found
    assert found.needs is Needs.TIME
    assert (await World((FIRST, NEVER, LAST), told, 7300.0).look()).absent == (1,)


async def test_a_call_that_was_made_before_the_provider_told_the_time_is_never_absent() -> None:
    world = World((FIRST, NEVER, LAST), Faults(), 700.0)
    doubt = replace(world.attempt(1, NEVER), details=FrozenMap({DIGEST: "0"}))
    found = bracket(doubt, [world.attempt(0, FIRST), world.attempt(2, LAST)])
    assert isinstance(found, Undecided)
    assert found.needs is Needs.PERSON


async def test_a_call_of_another_account_is_never_absent_from_the_records_of_this_one() -> None:
    """As where somebody used another key for a while, or shares a store with others who have one."""
    lost = replace(NEVER, fate="lost", key="other")
    found = await why((FIRST, lost, LAST), Faults(), 700.0)
    assert found
    assert (found.needs, "another key" in found.why) == (Needs.PERSON, True)
    [(_, found)] = (await World((lost, FIRST, LAST), Faults(), 700.0).look()).undecided
    assert found.needs is Needs.PERSON


async def test_that_the_records_show_one_model_says_nothing_of_another() -> None:
    """As where they are listed by model, and this one stands there under another name."""
    other = replace(NEVER, fate="lost", model="segmind-relighting-v2")
    found = await why((FIRST, other, LAST), Faults(hides=other.model), 700.0)
    assert found
    assert found.needs is Needs.PURCHASE
    after = replace(other, fate="known", image=2, at=20.0)
    before = replace(after, image=0, at=0.0)
    found = await why((before, other, after), Faults(hides=other.model), 700.0)
    assert found
    assert found.needs is Needs.TIME
    never = replace(other, fate="never")
    assert (await World((before, never, after), Faults(), 700.0).look()).absent == (1,)


async def test_a_key_that_was_replaced_by_another_of_the_same_account_settles_all_the_same() -> (
    None
):
    after = replace(LAST, key="new")
    assert (await World((FIRST, NEVER, after), Faults(), 700.0).look()).absent == (1,)
    other = replace(LAST, key="other", at=15.0)
    past = (FIRST, NEVER, other, replace(LAST, image=2, at=30.0))
    assert (await World(past, Faults(), 700.0).look()).absent == (1,)


async def test_a_clock_that_contradicts_the_ledgers_order_proves_nothing() -> None:
    world = World((FIRST, NEVER, LAST), Faults(), 700.0)
    late = replace(NEVER, at=9000.0)
    calls = [world.attempt(0, FIRST), world.attempt(2, LAST)]
    assert isinstance(bracket(world.attempt(1, NEVER), calls), Bracket)
    assert isinstance(bracket(world.attempt(1, late), calls), Undecided)


async def test_the_first_calls_of_a_state_are_absent_once_the_records_have_shown_that_they_keep() -> (
    None
):
    """Nothing earlier shows how far back they reach; that a later call is still there when it is as
    old as the first was when it was missed does."""
    past = (replace(NEVER, at=0.0), LAST)
    world = World(past, Faults(), 700.0)
    query = RecordsQuery(
        (world.attempt(0, past[0]),), (world.attempt(1, LAST),), frozenset({"request-0001"}), LAG
    )
    found = records(world)
    [(_, first)] = (await look_up(found, query, _at_once)).undecided
    assert (first.needs, first.absent_at, first.at) == (Needs.TIME, AT + 700, AT + 700 + 21)
    noted = replace(query.doubts[0], details=FrozenMap({**query.doubts[0].details, **first.note}))
    again = replace(query, doubts=(noted,))
    world.now = 720.0
    assert not (await look_up(found, again, _at_once)).absent
    world.now = 722.0
    assert (await look_up(found, again, _at_once)).absent == (0,)
