"""Writes docs/reference/fault-grid.md: every fault with every provider, from the table that is played."""

from __future__ import annotations

from benchmarks.reliability.grid.faults import FAULTS
from benchmarks.reliability.grid.terms import PROVIDERS, Ending, NotHere
from docs.tables import table

_NOTE = "<!-- Written by `python -m docs.generate` from benchmarks/reliability/grid. -->\n"
_INTRO = """# Faults, provider by provider

Two jobs are bought one after the other from an emulator of each provider, while the fault in the row happens; then
there is a second run. A cell says what comes of it, with the exit codes of both runs, and how many of the two calls
are on the provider's bill in the end. After each run the bill is held against the ledger: no job is billed twice, and
no billed call is missing. `python -m benchmarks.reliability faults` plays the table, and so do the tests.

"""
_MEANING = """
- *made*: in the same run, and billed once. *next run*: certainly not billed, or free, and made by the next run.
- *unknown, held*: listed with its price, told by every run, and never sent again automatically.
- *fails*: this job alone. *model stops*, *run stops*: nothing more is sent.
- *paid, no image*: its bytes are kept, and it is not bought again automatically.
- *refused*: by a safety rule, as the result is not at a place of the provider's.

"""
_WHY = """
## Why a row does not apply

"""


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    reasons = dict.fromkeys(
        end.why for fault in FAULTS for end in fault.ends.values() if isinstance(end, NotHere)
    )
    numbers = {why: number for number, why in enumerate(reasons, 1)}
    counts = [sum(provider in fault.played for fault in FAULTS) for provider in PROVIDERS]
    rows = [
        (fault.name, fault.what, *(_cell(fault.ends[p], numbers, p) for p in PROVIDERS))
        for fault in FAULTS
    ]
    rows.append(("**rows that apply**", f"of {len(FAULTS)}", *map(str, counts)))
    body = table(("fault", "what the server does", *PROVIDERS), rows)
    notes = "".join(f"{number}. {why[0].upper()}{why[1:]}.\n" for why, number in numbers.items())
    return {"fault-grid.md": "".join([_NOTE, _INTRO, body, _MEANING, _WHY.lstrip(), notes])}


def _cell(end: Ending | NotHere, numbers: dict[str, int], provider: str) -> str:
    if isinstance(end, NotHere):
        return f"– ({numbers[end.why]})"
    bought = "made" if provider == "comfyui" else "billed"
    return f"{end.label}; {end.exit.value}, {end.then.value}; {end.end} {bought}"
