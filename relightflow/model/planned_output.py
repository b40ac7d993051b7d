"""What a run would do about one output of a plan, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from relightflow.model.job import Output


class OutputAction(StrEnum):
    MAKE = "make"
    """To be bought."""
    FROM_STORE = "from the store"
    """Bought already, here or by another machine; to be delivered."""
    DELIVER_AGAIN = "deliver again"
    """Delivered once; the file is gone or out of date."""
    EDITED = "edited: kept"
    """Somebody else's bytes are at its place."""
    COLLECT = "collect"
    """Paid or accepted, not fetched."""
    UNKNOWN = "unknown"
    """May have been billed; held."""
    HELD = "failed: held"
    """Paid, and no image came; not bought again by itself."""
    IN_PLACE = "in place"
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    output: Output
    action: OutputAction
    reason: str
    """Why, in words; empty where the action says it all. May hold untrusted text."""
    location: str
    """Of the first sink that holds files; empty: there is none."""
    path: str
    """In that sink, relative; it ends in `.*` where the format is not known yet."""
