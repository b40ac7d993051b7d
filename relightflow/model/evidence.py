"""What a provider's own records say about calls whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from relightflow.model.step import Step
from relightflow.model.values import FrozenMap

NOTE = "evidence"
"""Where an attempt's details in the ledger hold why the records have not settled it."""
SERVER_TIME = "server_time"
"""Where they hold the provider's Unix seconds at INTENT; missing where no answer had told the time."""

DIGEST = "image_digest"
"""Where they hold the digest of the image value (a URL or a data URI) that the request carried."""
ACCOUNT = "account"
"""Where they hold a digest of whose call it was, if the backend tells: names of calls are an account's."""
BODY = "body"
"""Where they hold the SHA-256 of the call's body, where it can be sent again: nothing else may go under its
name."""


def digest(value: str) -> str:
    """SHA-256 of an image value, in hex: what the ledger may hold of it."""
    return sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


class Needs(StrEnum):
    """What an unknown outcome waits for."""

    TIME = "time"
    """The records may not show the call yet, or could not be read: they are asked again."""
    PURCHASE = "purchase"
    """A later call of our own that the records show: the next purchase settles it."""
    RUN = "run"
    """A run, which may send the call again under its name: the provider bills that name once."""
    PERSON = "person"
    """These records cannot prove anything about it: somebody has to decide."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why the records do not settle an attempt, and what would."""

    needs: Needs
    """What would settle it."""
    why: str
    """In words, to follow 'because'."""
    at: float | None = None
    """With TIME: when they can settle it at the earliest, Unix seconds by the provider's clock."""
    absent_at: float | None = None
    """When a reading that could be believed first lacked it, Unix seconds by the provider's clock."""

    @property
    def note(self) -> FrozenMap:
        """For the attempt's details in the ledger."""
        facts = {"needs": self.needs, "why": self.why, "at": self.at, "absent_at": self.absent_at}
        return FrozenMap({NOTE: facts})


def undecided(details: Mapping[str, Any]) -> Undecided | None:
    """What the last look at the records left in an attempt's details; None: nobody looked yet."""
    note = details.get(NOTE)
    if not isinstance(note, Mapping):
        return None
    needs, why = note.get("needs"), note.get("why")
    if needs not in tuple(Needs) or not isinstance(why, str):
        return None
    return Undecided(Needs(needs), why, moment(note.get("at")), moment(note.get("absent_at")))


def moment(value: object) -> float | None:
    """Unix seconds, from an attempt's details; None: there is no sound number."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None  # type: ignore[arg-type]  # a number, as was just seen


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the provider's own records say; attempts are named by their ids in the ledger."""

    adopted: tuple[tuple[int, Step], ...] = ()
    """The step that an attempt had really reached, `Accepted` or `ResultKnown`; exactly one row of the
    records fits. The run collects it."""
    failed: tuple[tuple[int, str], ...] = ()
    """Taken, failed, and not billed: why. As much is needed to believe it as for `absent`."""
    absent: tuple[int, ...] = ()
    """Proven: nothing was taken."""
    undecided: tuple[tuple[int, Undecided], ...] = ()
    """Everything else."""
    now: float | None = None
    """The provider's Unix seconds at the look; None: it told no time."""
