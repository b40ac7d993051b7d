"""The matrix of the reliability page: what goes wrong × the provider's API × before or after a crash.

Two images in two lights, one call at a time; SIGKILL when the provider has taken and billed the second
call, before its answer. What goes wrong does so in the run that is killed, or in the runs after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from docs.tables import table
from tests.world.behaviour import HTML_200, HTML_502, LIMITED, Behaviour, Fault, Records
from tests.world.harness import KILLED, World

JOBS = 4
APIS = ("v1", "v2")
TIMES = ("before", "after")
DAYS = 3 * 24 * 3600.0
PAGE = "docs/reference/reliability.md"
BEGIN, END = "<!-- crash matrix -->\n", "<!-- end of the crash matrix -->\n"


def _nothing(_: World) -> None:
    """The crash alone."""


def _records(records: Callable[[], Records]) -> Callable[[World], None]:
    return lambda world: setattr(world.provider.behaviour, "records", records())


def _submits(world: World) -> None:
    world.provider.behaviour.submit_fault = Fault(HTML_502, times=1)
    world.provider.behaviour.submit_fault_bills = True


def _results(world: World) -> None:
    world.provider.behaviour.poll_fault = Fault(HTML_502, times=2)
    world.provider.behaviour.result_fault = Fault(HTML_200, times=2)


def _local_clock(world: World) -> None:
    world.local_offset = DAYS


def _provider_clock(world: World) -> None:
    world.provider.behaviour.offset -= DAYS


def _dearer(world: World) -> None:
    world.provider.behaviour.charge = 0.075


KINDS: dict[str, Callable[[World], None]] = {
    "nothing else": _nothing,
    "a proxy's page in place of a billed answer": _submits,
    "proxies' pages in place of polls and results": _results,
    "records 20 minutes late": _records(lambda: Records(lag=1200.0)),
    "records with other image addresses": _records(lambda: Records(inputs="rehosted")),
    "records behind a rate limit": _records(lambda: Records(fault=Fault(LIMITED, times=3))),
    "this machine's clock 3 days ahead": _local_clock,
    "the provider's clock 3 days behind": _provider_clock,
    "calls that cost 1.5 × the price": _dearer,
}


@dataclass(frozen=True, slots=True)
class Figures:
    billed: int
    twice: int
    held: int
    """Not settled in the end: held as unknown and listed with their price."""
    lost: int = 0
    """Billed, and in the end neither delivered nor held."""

    def __str__(self) -> str:
        return f"{self.billed} / {self.twice} / {self.held} / {self.lost}"


HELD = Figures(JOBS, 0, 1)


def expected(kind: str, time: str) -> Figures:
    """A provider whose clock went back is not believed to lack a call of three days later."""
    went_back = kind == "the provider's clock 3 days behind" and time == "after"
    return HELD if went_back else Figures(JOBS, 0, 0)


def played(world: World, kind: str, api: str, time: str) -> Figures:
    """One cell: the crash, and what it comes to once the fault is over."""
    behaviour = world.provider.behaviour
    behaviour.protocol = api
    world.recipe()
    if time == "before":
        KINDS[kind](world)
    behaviour.fates[world.provider.submits + 2] = "kill billed"
    assert world.run().code == KILLED, world.story()
    _over(world)
    if time == "after":
        KINDS[kind](world)
        for _ in range(2):
            world.run()
            world.assert_paid_once()
            world.wait(660)
        _over(world)
    world.settle()
    held = len(json.loads(world.command("resolve", "recipe.yaml", "--json").out)["held"])
    bill, twice = world.provider.bill, world.provider.billed_twice()
    return Figures(len(bill), len(twice), held, len(world.missing()) - held)


def _over(world: World) -> None:
    """The fault ends; how far the provider's clock is off is how it stays."""
    kept, honest = world.provider.behaviour, Behaviour()
    for name in ("records", "submit_fault", "submit_fault_bills", "poll_fault", "result_fault"):
        setattr(kept, name, getattr(honest, name))
    kept.charge = honest.charge
    kept.fates.clear()
    world.local_offset = 0.0


def page_table() -> str:
    """As the page has it."""
    columns = [(api, time) for api in APIS for time in TIMES]
    head = ("", *(f"{api}, {time} the crash" for api, time in columns))
    return table(
        head, ((kind, *(str(expected(kind, time)) for _, time in columns)) for kind in KINDS)
    )
