"""Picks: which results of a sweep somebody chose, whatever backend made them.

A pick is (image, cell, repeat) and never a job key, because the key contains the backend: what is
picked in a free preview can be bought elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.values import Parameters

PICK, REJECT, NONE = "pick", "reject", "none"
VERDICTS = (PICK, REJECT, NONE)
MOST_STARS = 5


@dataclass(frozen=True, slots=True)
class Pick:
    """One decision. At least one of `image_sha256` and `image_name` is set."""

    cell: Parameters
    """As the recipe spells it; from a CSV file every value is text."""
    image_name: str = ""
    image_sha256: str = ""
    """64 hex digits over the input image's bytes."""
    repeat: int = 0
    """0-based."""
    verdict: str = PICK
    stars: int = 0
    note: str = ""
    where: str = ""
    """Where it stands in its file, such as `picks[3]` or `line 4`."""


@dataclass(frozen=True, slots=True)
class Picks:
    """A picks file."""

    file: str
    """As the user named it."""
    sha256: str
    """Over the file's bytes."""
    entries: tuple[Pick, ...]
    texts: bool = False
    """True: cells hold the texts of values (a CSV file), to be matched as they are written."""
    recipe: str = ""
    """The name of the recipe they were made from; empty: not said."""

    @property
    def chosen(self) -> tuple[Pick, ...]:
        """Those whose verdict is `pick`: what a run makes."""
        return tuple(pick for pick in self.entries if pick.verdict == PICK)
