"""What machines have set aside in a shared store before they buy, so that a limit holds for all of them.

    reservations/<number>.json   the n-th state: every open reservation, and what the ended ones came to
    reservations/<block>.closed  a state of this hundred does not count, and they are deleted
    ended/<reservation>          no call is begun under it any more

A state is created and never changed, so of several machines that make the next one, one succeeds: where the
store's conditional put is atomic (`marker`), whoever reserves has seen what all others have reserved. A run
looks for `ended/…` after it has claimed a job and before its call leaves; so whoever creates that object and
then lists the claims knows every call that was made under the reservation.

Old states are deleted a hundred at a time, after their block is closed. A machine that was suspended meanwhile
finds its next number free, creates that state, and then sees that the block is closed, so its state does not count.
No time and no listing decides that. What a crash leaves in a closed block is deleted with the next one. Methods
block, may be called from several threads, and raise ObjectFault, and StorageError for a state that is damaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from relightflow.errors import StorageError
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.entries import FORMAT, Entries
from relightflow.store.index_entry import MOST, decoded, read_time

_STATES, _ENDED = "reservations", "ended"
_STATE = re.compile(_STATES + r"/(?:(\d{12})\.json|(\d{10})\.closed)")
_BLOCK = 100
"""States that are deleted together; as many or more are always left."""
_LOOKS = 5
"""Listings that are asked for, at most, until one agrees with what can be read."""
_ID = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r"[0-9a-f]{16}")
_ANY = re.compile(r".*", re.DOTALL)
_NAME = re.compile(r"[\w.:@ -]{0,200}", re.ASCII)
_MOST = 4 << 20


class StatePruned(Exception):
    """What came after the state that was seen has been deleted: `Reservations.latest` says what is in force."""


class _Listed(NamedTuple):
    numbers: tuple[int, ...]
    """Of states."""
    closed: frozenset[int]
    """Blocks."""


class Reservations:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._entries = Entries(bucket)

    def latest(self) -> Reserved:
        """The state that is in force, found by a listing and by what follows on the last one that it shows."""
        for _ in range(_LOOKS):
            listed = self._listed()
            last = max((n for n in listed.numbers if n // _BLOCK not in listed.closed), default=0)
            found = self._read(last) if last else Reserved()
            if found is not None and (found.number or not listed.closed):
                for later in self.after(found):
                    found = later
                return found
        words = "its listing does not show yet what is reserved there; run again later"
        raise ObjectFault(Reason.PASSING, f"{self._bucket}{_STATES}", words)

    def after(self, seen: Reserved) -> Iterator[Reserved]:
        """The states that came after one that was `seen`, in order; a request for each, and one more."""
        number = seen.number
        while found := self._read(number := number + 1):
            yield found

    def create(self, state: Reserved) -> bool:
        """Make `state` the one that is in force. False: another machine was faster. Raises StatePruned."""
        facts = {
            "writer": state.writer,
            "open": [
                {name: getattr(one, name) for name in Reservation.__slots__} for one in state.open
            ],
            "ended": state.ended,
            "ended_parts": state.ended_parts,
        }
        try:
            self._entries.put(_path(state.number), facts, only_new=True)
        except ObjectFault as fault:
            if fault.reason not in (Reason.CHANGED, Reason.PASSING):
                raise
            found = self._read(state.number)  # perhaps only the answer was lost
            if found is None and fault.reason is Reason.PASSING:
                raise
            if (
                found is None or found.writer != state.writer
            ):  # None: made by another and deleted since
                return False
        if self._bucket.head(_closed(state.number // _BLOCK)) is not None:
            with suppress(ObjectFault):  # the next one that prunes finds it
                self._bucket.delete([_path(state.number)])
            raise StatePruned
        if state.number % _BLOCK == 0:
            with suppress(ObjectFault):  # later is early enough
                self._prune(state.number // _BLOCK - 1)
        return True

    def _prune(self, kept: int) -> None:
        """Delete all states of the blocks before `kept`, each once its block is closed."""
        listed = self._listed()
        old = [number for number in listed.numbers if number // _BLOCK < kept]
        for block in sorted({number // _BLOCK for number in old} - listed.closed):
            self._create(_closed(block))
        self._bucket.delete(map(_path, old))

    def _listed(self) -> _Listed:
        found = [_STATE.fullmatch(facts.path) for facts in self._bucket.list(_STATES)]
        names = [name.groups() for name in found if name]
        return _Listed(
            tuple(int(number) for number, _ in names if number),
            frozenset(int(block) for _, block in names if block),
        )

    def end(self, name: str) -> None:
        """From now on no call is begun under the reservation with the id `name`. Twice is once."""
        self._create(f"{_ENDED}/{name}")

    def _create(self, path: str) -> None:
        """An object without content, a mark. Twice is once."""
        try:
            self._bucket.put(path, b"{}", "application/json", only_new=True)
        except ObjectFault as fault:
            if fault.reason is not Reason.CHANGED:
                raise

    def is_ended(self, name: str) -> bool:
        return self._bucket.head(f"{_ENDED}/{name}") is not None

    def _read(self, number: int) -> Reserved | None:
        path = _path(number)
        try:
            found = decoded(self._bucket.get(path, most=_MOST))
        except ObjectFault as fault:
            if fault.reason is Reason.MISSING:
                return None
            if fault.reason is not Reason.CHANGED:
                raise
            found = None  # too large
        state = _state(number, found) if found else None
        if state is None:
            raise StorageError(
                f"{self._bucket}{path} is damaged, so it is not known what other machines have reserved; "
                "nothing more was sent. Let all runs that use the store end, then delete the object and run "
                "again: what was bought is counted by its costs and claims"
            )
        return state


def _path(number: int) -> str:
    return f"{_STATES}/{number:012}.json"


def _closed(block: int) -> str:
    return f"{_STATES}/{block:010}.closed"


def _state(number: int, found: dict[str, Any]) -> Reserved | None:
    """What a state says, if all of it makes sense: money is read whole or not at all."""
    if type(found.get("format")) is not int or found["format"] != FORMAT:
        return None
    writer, opened, ended = (found.get(name) for name in ("writer", "open", "ended"))
    if not (isinstance(opened, list) and isinstance(ended, dict) and isinstance(writer, str)):
        return None
    made = [_reservation(one) for one in opened]
    parts = found.get("ended_parts", {})
    if None in made or not _amounts(ended) or not isinstance(parts, dict):
        return None
    if not all(_amounts(some, _MODEL) for some in parts.values()):
        return None
    opened = tuple(one for one in made if one)
    return Reserved(number, opened, FrozenMap(ended), FrozenMap(parts), writer)


def _reservation(found: object) -> Reservation | None:
    if not isinstance(found, dict):
        return None
    names = [found.get(name) for name in ("run", "machine", "recipe")]
    sound = all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
    name, amount, parts = found.get("id"), found.get("amount"), found.get("parts", {})
    if not (sound and isinstance(name, str) and _ID.fullmatch(name) and _amount(amount)):
        return None
    if not _amounts(parts, _MODEL):
        return None
    run, machine, recipe = map(str, names)
    return Reservation(
        name, run, machine, recipe, read_time(found), int(amount or 0), FrozenMap(parts)
    )


def _amounts(found: object, form: re.Pattern[str] = _ANY) -> bool:
    """Whether it maps names of a form to amounts."""
    return isinstance(found, dict) and all(
        form.fullmatch(name) and _amount(value) for name, value in found.items()
    )


def _amount(value: object) -> bool:
    return type(value) is int and 0 <= value < MOST
