"""Every fault of the table, with every provider that it applies to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability.grid.faults import FAULTS
from benchmarks.reliability.grid.play import problems
from benchmarks.reliability.grid.terms import PROVIDERS, Fault, NotHere

PLAYED = [(fault, provider) for fault in FAULTS for provider in fault.played]


@pytest.mark.parametrize(
    ("fault", "provider"), PLAYED, ids=[f"{provider}-{fault.name}" for fault, provider in PLAYED]
)
async def test_a_fault_ends_as_the_table_says(fault: Fault, provider: str, tmp_path: Path) -> None:
    found = await problems(fault, provider, tmp_path)
    assert not found, "\n".join(found)


def test_every_row_says_of_every_provider_what_happens_or_why_it_does_not() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert tuple(fault.ends) == PROVIDERS
        assert fault.played, fault.name
        assert all(end.why for end in fault.ends.values() if isinstance(end, NotHere))
