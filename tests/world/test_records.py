"""Issue 9, section 2: a call is absent only where the provider's records were proven readable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.world.behaviour import HTML_200, HTML_502, LIMITED, Answer, Fault, Records
from tests.world.harness import World

MISLEADING = {
    "rehosted": Records(inputs="rehosted"),
    "upper": Records(inputs="upper"),
    "text": Records(inputs="text"),
    "absent": Records(inputs="absent"),
    "unreadable and renamed": Records(inputs="unreadable", model="Segmind Relighting"),
    "absent and renamed": Records(inputs="absent", model="Segmind Relighting"),
    "rehosted and renamed": Records(inputs="rehosted", model="segmind-relighting-1.2"),
    "pages of 20": Records(page_size=20, strangers=30),
    "pages of 20, a list": Records(page_size=20, strangers=30, envelope="list"),
    "pages from 0": Records(first_page=0),
    "pages from 0, totals": Records(first_page=0, totals=True),
    "newcomers": Records(moving="newcomers", page_size=2, strangers=3, patience=12),
    "falling": Records(moving="falling", page_size=2),
    "lag": Records(lag=1200.0),
    "lag by reads": Records(lag_reads=4),
    "no zone": Records(zone=""),
    "empty": Records(lag=1e9),
    "page of a proxy": Records(fault=Fault(HTML_200), patience=4),
    "error": Records(fault=Fault(HTML_502), patience=4),
    "another JSON": Records(fault=Fault(Answer(200, '{"status": "ok"}')), patience=4),
    "rate limit": Records(fault=Fault(LIMITED, times=3)),
}


def doubt(world: World, records: Records, fate: str = "billed", **recipe: object) -> None:
    """Four jobs; the second one's answer never came."""
    fault = records.fault and replace(records.fault)
    world.provider.behaviour.records = replace(records, fault=fault)
    world.recipe(**recipe)  # type: ignore[arg-type]
    world.provider.behaviour.fates[2] = fate
    assert world.run().code in (0, 5, 75, 143), world.story()
    assert world.provider.submits >= 4


@pytest.mark.parametrize("records", MISLEADING.values(), ids=MISLEADING)
def test_misleading_records_buy_nothing_twice(world: World, records: Records) -> None:
    doubt(world, records)
    world.wait(660)
    world.settle(runs=3)
    world.assert_paid_once()
    assert not world.misplaced()


@pytest.mark.parametrize("name", ["rehosted", "upper", "lag"])
def test_misleading_records_of_v1_buy_nothing_twice(world: World, name: str) -> None:
    world.provider.behaviour.protocol = "v1"
    doubt(world, MISLEADING[name])
    world.wait(660)
    world.settle(runs=3)
    world.assert_paid_once()
    assert not world.misplaced()


@pytest.mark.parametrize(("hours", "dated"), [(-72, True), (3, True), (72, True), (-3, False)])
def test_a_provider_whose_clock_differs_is_paid_once(
    world: World, hours: float, dated: bool
) -> None:
    world.provider.behaviour.offset = hours * 3600
    world.provider.behaviour.dated = dated
    doubt(world, Records())
    world.wait(660)
    world.settle(runs=3)
    world.assert_paid_once()


@pytest.mark.parametrize("hours", [(-48, 48), (0, 9600)])
def test_a_clock_that_jumps_between_runs_pays_once(
    world: World, hours: tuple[float, float]
) -> None:
    first, then = hours
    world.local_offset = first * 3600
    doubt(world, Records(lag=900.0))
    world.local_offset = then * 3600
    world.run()
    world.local_offset = first * 3600
    world.wait(660)
    world.settle(runs=2)
    world.assert_paid_once()


@pytest.mark.parametrize(
    ("envelope", "totals"),
    [("list", False), ("data", False), ("data", True), ("results", True), ("items", False)],
)
def test_honest_records_settle_a_lost_call(world: World, envelope: str, totals: bool) -> None:
    doubt(world, Records(envelope=envelope, totals=totals, strangers=12), fate="lost")
    world.wait(660)
    said = world.settle()
    assert said.code == 0, world.story()
    world.assert_complete(4)


@pytest.mark.parametrize(
    "records",
    [Records(), Records(strangers=250), Records(lag=120), Records(copies=2)],
    ids=["plain", "three pages", "lag", "copies"],
)
@pytest.mark.parametrize("protocol", ["v2", "v1"])
def test_honest_records_find_a_billed_call(world: World, records: Records, protocol: str) -> None:
    world.provider.behaviour.protocol = protocol
    doubt(world, records)
    world.wait(660)
    said = world.settle(runs=3)
    assert said.code == 0, world.story()
    world.assert_complete(4)


def test_a_rate_limit_on_the_records_is_told(world: World) -> None:
    world.settling = ""
    doubt(world, Records(), fate="lost")
    world.wait(660)
    world.provider.behaviour.records.fault = Fault(LIMITED, times=2)
    said = world.run()
    assert world.provider.behaviour.records.fault.times == 0
    assert "rate" in said.text.lower(), world.story()
    world.settle()
    world.assert_complete(4)


def test_records_are_not_read_where_nothing_is_in_doubt(world: World) -> None:
    world.recipe()
    world.run()
    assert not [path for path in world.provider.requests if "request-history" in path]


@pytest.mark.parametrize("fate", ["billed", "lost"])
def test_resubmit_waits_for_the_evidence(world: World, fate: str) -> None:
    """Section 5: `on_unknown: resubmit` does not buy what the records will show."""
    doubt(world, Records(lag=120), fate=fate, on_unknown="resubmit")
    world.run()
    world.wait(660)
    said = world.settle()
    assert said.code == 0, world.story()
    world.assert_complete(4)
