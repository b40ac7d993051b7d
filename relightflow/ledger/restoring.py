"""Puts back into the ledger what the blob store's index knows and the ledger does not.

`differences` only reads; `apply` writes what it found. A ledger that is up to date has none, so that
both cost little at the start of every run.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any, NamedTuple

from relightflow.ledger import rows
from relightflow.model.attempt import LEGAL, OPEN, Attempt, State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.restoration import Restoration
from relightflow.model.values import canonical_json

_KEYS_A_QUERY = 512
_UNANSWERED = "the ledger that is in use did not know this call, and no answer to it is recorded"
ANOTHER = "the ledger has another attempt of this job"
"""Why an attempt that was paid is closed: the job has one that is kept."""


@dataclass(frozen=True, slots=True)
class IndexedAttempts:
    """An attempt as the index tells of it."""

    attempt: rows.Restored
    at: float
    """When it was made, in Unix seconds."""
    recipe: str = ""
    plan: str = ""
    """sha256 of the plan file under which it was made; empty: none."""


@dataclass(frozen=True, slots=True)
class _Insert:
    """The ledger has never heard of it."""

    found: IndexedAttempts

    @property
    def job_key(self) -> str:
        return self.found.attempt.job_key


@dataclass(frozen=True, slots=True)
class _Advance:
    """The ledger knows less of it than the index."""

    attempt_id: int
    job_key: str
    steps: tuple[dict[str, Any], ...]
    """Columns to set, one update after the other."""
    details: str


Difference = _Insert | _Advance


class _Row(NamedTuple):
    id: int
    key: str
    uuid: str
    state: State
    billed: str
    request_id: str
    blob: str
    price: int


def differences(
    db: sqlite3.Connection, found: Sequence[IndexedAttempts], is_whole: Callable[[str], bool]
) -> list[Difference]:
    """What `found` says and the ledger does not, oldest first. Reads only.

    `is_whole`: whether the blob of that sha256 is in the store, undamaged.
    """
    by_key: dict[str, list[IndexedAttempts]] = defaultdict(list)
    for one in found:
        by_key[one.attempt.job_key].append(one)
    made: list[Difference] = []
    left = iter(by_key)
    while keys := tuple(islice(left, _KEYS_A_QUERY)):
        known = _rows(db, keys)
        for key in keys:
            made += _of_job(by_key[key], known.get(key, []), is_whole)
    return made


def apply(db: sqlite3.Connection, found: Iterable[Difference]) -> Restoration:
    """Write the differences down; what was new. Needs a transaction."""
    total = Restoration()
    for difference in found:
        if isinstance(difference, _Insert):
            total = _counted(total, difference.found.attempt)
            _insert(db, difference.found)
            continue
        details = difference.details
        for step in difference.steps:
            rows.update(db, difference.attempt_id, step, details)
    return total


def restorable(db: sqlite3.Connection) -> Iterator[tuple[int, IndexedAttempts]]:
    """Every attempt by its number, as it could be put into another ledger. The result's URL is a secret and
    stays here: its attempt is only known to be paid, and its request id finds it again.

    Raises sqlite3.DatabaseError for a row that says nonsense.
    """
    query = (
        "SELECT coalesce(run.recipe, ''), coalesce(run.plan, ''), size, width, height, media_type, kind, floor FROM attempt"
        " LEFT JOIN run ON run.id = attempt.run_id ORDER BY attempt.id"
    )
    for attempt, facts in zip(rows.select(db, "1"), db.execute(query), strict=True):
        recipe, plan, *size, media_type, kind, floor = facts
        sound = all(type(n) is int and 0 <= n < _MOST for n in (*size, floor or 0))
        if not (sound and {type(one) for one in (recipe, plan, media_type, kind)} == {str}):
            raise sqlite3.DatabaseError("a row is damaged: a value that cannot be")
        told = _restored(attempt, size, media_type, kind, floor)
        yield attempt.id, IndexedAttempts(told, attempt.created, recipe, plan)


def _restored(
    attempt: Attempt, size: Sequence[int], media_type: str, kind: str, floor: int | None
) -> rows.Restored:
    own = {field.name for field in fields(rows.Restored)} & {f.name for f in fields(Attempt)}
    facts = {name: getattr(attempt, name) for name in own}
    facts["state"] = _TOLD.get(attempt.state, attempt.state)
    try:
        failure = FailureKind(kind) if kind else None
    except ValueError:
        raise sqlite3.DatabaseError("a row is damaged: a kind that cannot be") from None
    return rows.Restored(
        **facts, size=size[0], width=size[1], height=size[2],
        media_type=media_type, kind=failure, floor=floor,
    )  # fmt: skip


_MOST = 1 << 53
_TOLD = {State.DONE: State.STORED, State.RESULT_KNOWN: State.PAID_UNFETCHED}


def note_position(db: sqlite3.Connection, position: tuple[int, str]) -> None:
    """How far the blob store's index and the ledger agree: bytes, sha256 of their end."""
    db.execute(
        "INSERT OR REPLACE INTO index_position VALUES"
        " (1, ?, ?, (SELECT coalesce(max(id), 0) FROM history))",
        position,
    )


def summary(found: Iterable[Difference]) -> Restoration:
    """What `apply` would put back."""
    total = Restoration()
    for difference in found:
        if isinstance(difference, _Insert):
            total = _counted(total, difference.found.attempt)
    return total


def _counted(total: Restoration, attempt: rows.Restored) -> Restoration:
    price = attempt.price if attempt.cost is None else attempt.cost
    price = total.price + (0 if attempt.billed is Billed.NO else price)
    if attempt.state is State.STORED:
        return replace(total, results=total.results + 1, price=price)
    if attempt.state in OPEN:
        return replace(total, calls=total.calls + 1, price=price)
    if attempt.reason == ANOTHER:
        return replace(total, repeated=total.repeated + 1, price=price)
    return replace(total, ended=total.ended + 1, price=price)


def _insert(db: sqlite3.Connection, found: IndexedAttempts) -> None:
    attempt = found.attempt
    rows.insert_one_restored(db, attempt, found.at)
    if attempt.run_id and found.recipe:
        run = (rows.text(attempt.run_id), rows.text(found.recipe), found.at, rows.text(found.plan))
        db.execute("INSERT OR IGNORE INTO run (id, recipe, started, plan) VALUES (?, ?, ?, ?)", run)


def _rows(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, list[_Row]]:
    marks = ",".join("?" * len(keys))
    query = (
        "SELECT id, job_key, uuid, state, billed, request_id, blob, price FROM attempt"
        f" WHERE job_key IN ({marks}) ORDER BY id"
    )
    known: dict[str, list[_Row]] = defaultdict(list)
    for row in db.execute(query, tuple(map(rows.text, keys))):
        number, key, uuid, state, billed, request_id, blob, price = row
        known[key].append(_Row(number, key, uuid, State(state), billed, request_id, blob, price))
    return known


def _of_job(
    found: list[IndexedAttempts], known: list[_Row], is_whole: Callable[[str], bool]
) -> Iterator[Difference]:
    alive = {row.id for row in known if is_alive(row.state, row.billed)}
    pairs = _paired(found, known)
    pairs.sort(
        key=lambda pair: pair[1] is None or _is_open(pair[0].attempt)
    )  # what ends makes room
    for one, row in pairs:
        attempt = one.attempt
        if row is not None:
            steps = tuple(_steps(row, attempt, is_whole))
            if steps:
                if not is_alive(attempt.state, attempt.billed):
                    alive.discard(row.id)
                yield _Advance(row.id, row.key, steps, canonical_json(attempt.details))
            continue
        if attempt.state is State.INTENT:
            attempt = replace(attempt, state=State.UNKNOWN, reason=_UNANSWERED)
        if is_alive(attempt.state, attempt.billed):
            if alive:
                attempt = replace(attempt, state=State.READY, reason=ANOTHER)
            alive.add(-1)
        yield _Insert(replace(one, attempt=attempt))


def _is_open(attempt: rows.Restored) -> bool:
    return is_alive(attempt.state, attempt.billed)


def is_alive(state: State, billed: str) -> bool:
    """As the index `attempt_at_most_one_alive` has it."""
    return state not in (State.READY, State.FAILED) or (state is State.FAILED and billed != "no")


def _paired(
    found: list[IndexedAttempts], known: list[_Row]
) -> list[tuple[IndexedAttempts, _Row | None]]:
    """Each attempt of the index with its row. Those without a name are told by result or request id,
    and else by their order, in which an older ledger has the first ones."""
    named = {row.uuid: row for row in known if row.uuid}
    left = [row for row in known if not row.uuid]
    pairs: dict[int, _Row] = {}
    for number, one in enumerate(found):
        match = named.get(one.attempt.uuid) if one.attempt.uuid else _same(one.attempt, known)
        if match:
            pairs[number] = match
            if match in left:
                left.remove(match)
    for number, one in enumerate(found):
        if number in pairs or one.attempt.uuid:
            continue
        fit = next((row for row in left if _fits(one.attempt, row)), None)
        if fit:
            pairs[number] = fit
            left.remove(fit)
    return [(one, pairs.get(number)) for number, one in enumerate(found)]


def _same(attempt: rows.Restored, known: list[_Row]) -> _Row | None:
    for row in known:
        if attempt.blob and row.blob == attempt.blob:
            return row
        if attempt.request_id and row.request_id == attempt.request_id:
            return row
    return None


def _fits(attempt: rows.Restored, row: _Row) -> bool:
    """Whether nothing speaks against the two being one."""
    if bool(attempt.price) != bool(row.price):
        return False
    other_request = attempt.request_id and row.request_id
    return not other_request and not (attempt.blob and row.blob)


def _steps(
    row: _Row, attempt: rows.Restored, is_whole: Callable[[str], bool]
) -> Iterator[dict[str, Any]]:
    """Updates that bring the row to what the index knows, where that is more."""
    state = attempt.state
    common: dict[str, Any] = {"billed": attempt.billed}
    if attempt.request_id and not row.request_id:
        common["request_id"] = rows.text(attempt.request_id)
    if attempt.cost is not None:
        common["cost"] = attempt.cost
    if row.state not in OPEN:
        return
    if state is State.STORED:
        if not is_whole(attempt.blob):
            return
        if State.STORED not in LEGAL[row.state]:
            yield {"state": State.ACCEPTED}
        names = ("blob", "size", "width", "height", "media_type")
        yield common | {"state": state} | {name: getattr(attempt, name) for name in names}
    elif state in (State.ACCEPTED, State.PAID_UNFETCHED):
        if row.state is State.INTENT:
            yield common | {"state": state}
        elif row.state is State.UNKNOWN and attempt.request_id and not row.request_id:
            yield common | {"state": State.ACCEPTED}
    elif attempt.reason == ANOTHER and state is State.READY:
        if row.state is not State.UNKNOWN:
            yield {"state": State.UNKNOWN}
        yield common | {"state": state, "reason": ANOTHER}
    elif state in (State.FAILED, State.READY, State.UNKNOWN) and (
        row.state is State.INTENT or (row.state is State.UNKNOWN and state is not State.UNKNOWN)
    ):
        ended = {"reason": rows.text(attempt.reason), "kind": attempt.kind or ""}
        yield common | ended | {"state": state}
