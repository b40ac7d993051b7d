"""How nouns become rows and rows nouns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from relightflow.core.redact import known
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import Undecided, undecided
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import Micros, valid_cost
from relightflow.model.outcome import Result
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap, canonical_json

T = TypeVar("T")


GIVEN_UP = "given_up"
"""True in the details of an attempt that its owner gave up while its outcome was unknown."""


class Delivered(NamedTuple):
    """A file that a sink holds, as it was when it was written."""

    sink: str
    path: str
    basis: str
    sha256: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands: its one live attempt, or its last closed one."""

    attempt_id: int
    state: State
    billed: Billed
    result: Result | None
    kind: FailureKind | None
    reason: str
    price: Micros
    cost: Micros | None
    request_id: str
    undecided: Undecided | None = None
    """Of an unknown outcome: why the provider's records have not settled it, once they were asked."""
    plan: str = ""
    """sha256 of the plan file under which the attempt was made; empty: none."""


def text(untrusted: str) -> str:
    """`untrusted` as SQLite can keep it: half characters, which a file name or an answer may hold,
    become `?`. Without the secrets that this process knows."""
    return known(untrusted).encode(errors="replace").decode()


def new_attempt(
    job: Job,
    run_id: str,
    price: Micros,
    state: str,
    now: float,
    kind: str = "",
    reason: str = "",
    details: FrozenMap | None = None,
    uuid: str = "",
    floor: Micros | None = None,
) -> tuple[Any, ...]:
    free = price == 0
    return (
        job.key,
        run_id,
        state,
        Billed.NO if free else Billed.UNKNOWN,
        job.backend,
        job.model,
        job.image.sha256,
        canonical_json(job.parameters),
        job.repeat,
        price,
        kind,
        text(reason),
        canonical_json(details) if details else "{}",
        now,
        now,
        uuid,
        floor,
    )


def insert(db: sqlite3.Connection, row: tuple[Any, ...]) -> int:
    cursor = db.execute(
        "INSERT INTO attempt (job_key, run_id, state, billed, backend, model, image_sha256,"
        " parameters, repeat, price, kind, reason, details, created, updated, uuid, floor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """An attempt as the blob store's index remembers it; the fields are the table's columns."""

    job_key: str
    run_id: str
    state: State
    billed: Billed
    backend: str
    model: str
    image_sha256: str
    parameters: FrozenMap
    repeat: int
    price: Micros
    cost: Micros | None = None
    request_id: str = ""
    blob: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    media_type: str = ""
    kind: FailureKind | None = None
    reason: str = ""
    details: FrozenMap = field(default_factory=FrozenMap)
    uuid: str = ""
    floor: Micros | None = None


def _insert_restored(db: sqlite3.Connection, attempts: Iterable[tuple[Restored, float]]) -> None:
    """Each with the time it is from, in Unix seconds."""
    for attempt, when in attempts:
        insert_one_restored(db, attempt, when)


def insert_one_restored(db: sqlite3.Connection, attempt: Restored, now: float) -> int:
    """The row's id. `now`: when it is from, in Unix seconds."""
    values = {field.name: getattr(attempt, field.name) for field in fields(attempt)}
    values["parameters"] = canonical_json(attempt.parameters)
    values["details"] = canonical_json(attempt.details)
    values["kind"] = attempt.kind or ""
    values = {n: text(v) if isinstance(v, str) else v for n, v in values.items()}
    values["created"] = values["updated"] = now
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    cursor = db.execute(
        f"INSERT INTO attempt ({columns}) VALUES ({marks})",
        tuple(values.values()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update(
    db: sqlite3.Connection, attempt_id: int, values: dict[str, Any], details: str = "{}"
) -> None:
    """Set columns of one attempt and merge `details` into what is there.

    The column names come from this module alone, never from outside.
    """
    columns = ", ".join(f"{name} = ?" for name in values)
    parameters = list(values.values())
    if details != "{}":
        columns += ", details = json_patch(details, ?)"
        parameters.append(known(details))
    db.execute(
        f"UPDATE attempt SET {columns} WHERE id = ?",
        (*parameters, attempt_id),
    )


def another_job_has(db: sqlite3.Connection, attempt_id: int, request_id: str) -> bool:
    """Whether an attempt of another job than this one's bears `request_id`."""
    if not request_id:
        return False
    found = db.execute(  # `<> ''`: SQLite uses a partial index only where its condition is stated
        "SELECT 1 FROM attempt AS other, attempt AS own WHERE own.id = ? AND other.request_id = ?"
        " AND other.request_id <> '' AND other.job_key <> own.job_key LIMIT 1",
        (attempt_id, text(request_id)),
    )
    return found.fetchone() is not None


FOUND = "the provider's records do contain it"


def revive(
    db: sqlite3.Connection, attempt: Attempt, step: Accepted | ResultKnown, now: float
) -> bool:
    """See `Ledger.revive`."""
    others = f"job_key = ? AND id <> ? AND ({_ALIVE})"
    if select(db, others, (attempt.job_key, attempt.id)):
        values = of_step(step, now) | {"reason": FOUND}
        update(db, attempt.id, {name: values[name] for name in values if name != "state"})
        return False
    ended = {"state": State.READY, "billed": Billed.NO, "reason": FOUND, "updated": now}
    if attempt.state is State.READY:
        del ended["state"]
    update(db, attempt.id, ended)
    again = Restored(
        job_key=attempt.job_key,
        run_id=attempt.run_id,
        state=State.ACCEPTED,
        billed=Billed.UNKNOWN,
        backend=attempt.backend,
        model=attempt.model,
        image_sha256=attempt.image_sha256,
        parameters=attempt.parameters,
        repeat=attempt.repeat,
        price=attempt.price,
        request_id=step.request_id,
        details=step.details,
    )
    number = insert_one_restored(db, again, attempt.created)
    if isinstance(step, ResultKnown):
        update(db, number, of_step(step, now))
    return True


def of_step(step: Accepted | ResultKnown | PaidUnfetched, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {"request_id": text(step.request_id), "updated": now}
    if isinstance(step, Accepted):
        return values | {"state": State.ACCEPTED}
    paid = {"billed": Billed.YES, "cost": valid_cost(step.cost)}
    if isinstance(step, ResultKnown):
        return (
            values
            | paid
            | {"state": State.RESULT_KNOWN, "url": step.url.encode(errors="replace").decode()}
        )
    return values | paid | {"state": State.PAID_UNFETCHED}


def of_result(result: Result, cost: Micros | None, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": State.STORED,
        "blob": result.sha256,
        "size": result.size,
        "width": result.width,
        "height": result.height,
        "media_type": result.media_type,
        "billed": Billed.YES,
        "cost": valid_cost(cost),
        "updated": now,
    }
    return values | {"request_id": text(result.request_id)} if result.request_id else values


def of_failure(state: str, failure: Failure, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": state,
        "billed": failure.billed,
        "kind": failure.kind,
        "reason": text(failure.message),
        "updated": now,
    }
    if failure.cost is not None:
        values["cost"] = valid_cost(failure.cost)
    if failure.request_id:
        values["request_id"] = text(failure.request_id)
    return values


_ATTEMPT = (
    "id, job_key, run_id, state, backend, model, image_sha256, parameters, repeat, price, cost,"
    " billed, request_id, url, blob, reason, created, updated, details, uuid"
)


def select(db: sqlite3.Connection, where: str, facts: Sequence[Any] = ()) -> list[Attempt]:
    """Attempts in the order they were made. `where` is ours, never from outside."""
    query = f"SELECT {_ATTEMPT} FROM attempt WHERE {where} ORDER BY id"
    return [_noun(_attempt, row) for row in db.execute(query, facts)]


def _noun(make: Callable[[tuple[Any, ...]], T], row: tuple[Any, ...]) -> T:
    """Raises sqlite3.DatabaseError for a row that SQLite finds sound and that says nonsense."""
    try:
        return make(row)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"a row is damaged: {error}") from error


def _attempt(row: tuple[Any, ...]) -> Attempt:
    values = list(row)
    values[3] = State(values[3])
    values[7] = _mapping(values[7])
    values[11] = Billed(values[11])
    values[18] = _mapping(values[18])
    _sound(values[9], values[10], (values[8],), values[12:16])
    if not (0 <= values[16] < _LATEST and 0 <= values[17] < _LATEST):
        raise ValueError("a time that cannot be")
    return Attempt(*values)


_LATEST = 1e11
"""Unix seconds; far enough, and what a date can still hold."""
_MOST = 1 << 53
"""Of any number: what JSON readers keep exactly."""


def _sound(
    price: Micros, cost: Micros | None, numbers: Sequence[int], texts: Sequence[str]
) -> None:
    """Raises ValueError, or TypeError, for numbers and texts that no ledger of ours holds: the tables'
    rules are kept when a row is written, and whoever changes the file keeps none."""
    if not 0 <= price < _MOST or not (cost is None or 0 <= cost < _MOST):
        raise ValueError("an amount of money that cannot be")
    for number in numbers:
        if not 0 <= number < _MOST:
            raise ValueError("a number that cannot be")
    for text_ in texts:
        if type(text_) is not str:
            raise TypeError("something else in the place of a text")


def _mapping(text_: str) -> FrozenMap:
    found = _DECODER.decode(text_)
    if not isinstance(found, dict):
        raise TypeError("something else in the place of a JSON object")
    return FrozenMap(found)


def _no_number(text_: str) -> Any:
    raise ValueError(f"{text_} is not a number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


_JOB_STATE = (
    "job_key, id, state, billed, kind, reason, price, cost, request_id, blob, size, width, height,"
    " media_type, details"
)
_PLAN = "coalesce((SELECT plan FROM run WHERE run.id = attempt.run_id), '')"
_ALIVE = "state NOT IN ('READY', 'FAILED') OR (state = 'FAILED' AND billed <> 'no')"


def job_states(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, JobState]:
    """How each of `keys` stands; keys that were never tried are missing."""
    marks = ",".join("?" * len(keys))
    query = f"SELECT {_JOB_STATE}, {_PLAN} FROM attempt WHERE job_key IN ({marks}) ORDER BY ({_ALIVE}), id"
    return {row[0]: _noun(_job_state, row) for row in db.execute(query, keys)}


# an enum's call costs more than all else that is done for a row
_STATES = {state.value: state for state in State}
_BILLED = {billed.value: billed for billed in Billed}
_KINDS = {kind.value: kind for kind in FailureKind}


def _job_state(row: tuple[Any, ...]) -> JobState:
    (_, attempt_id, state, billed, kind, reason, price, cost, request_id, blob, *image, plan) = row
    result = None
    size, width, height, media_type, details = image
    _sound(price, cost, (size, width, height), (reason, request_id, plan, blob, media_type))
    if blob:
        paid = price if cost is None else cost
        facts = _mapping(details) if details != "{}" else _NOTHING
        result = Result(blob, size, width, height, media_type, request_id, paid, facts)
    return JobState(
        attempt_id,
        _STATES[state],
        _BILLED[billed],
        result,
        _KINDS[kind] if kind else None,
        reason,
        price,
        cost,
        request_id,
        undecided(json.loads(details)) if state == State.UNKNOWN else None,
        plan,
    )


_NOTHING = FrozenMap()


def drop_deliveries(db: sqlite3.Connection, sink: str, paths: Sequence[str]) -> None:
    """Forget files that are gone for good."""
    pairs = [(sink, path) for path in paths]
    db.executemany("DELETE FROM delivery WHERE sink = ? AND path = ?", pairs)


def put_deliveries(
    db: sqlite3.Connection, deliveries: Sequence[Delivered], attempts: Sequence[int], now: float
) -> None:
    """Remember what sinks hold, and which attempts are DONE that were only stored."""
    db.executemany("INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, ?, ?)", deliveries)
    db.executemany(
        "UPDATE attempt SET state = 'DONE', updated = ? WHERE id = ? AND state = 'STORED'",
        [(now, attempt) for attempt in attempts],
    )
