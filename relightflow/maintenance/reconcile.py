"""Compares the ledger with the provider's bill of a period and names every difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import SERVER_TIME, moment
from relightflow.model.failure import Billed
from relightflow.model.maintenance import BilledRequest, Difference, Finding
from relightflow.model.money import Micros
from relightflow.plugins.backend import BillRow
from relightflow.store.state_dir import StateDir


def recorded(state_dir: StateDir, backend: str) -> list[Attempt]:
    """The ledger's attempts with the backend. Reads only."""
    with open_reader(state_dir.ledger) as reader:
        return [attempt for attempt in reader.attempts() if attempt.backend == backend]


@dataclass(frozen=True, slots=True)
class _BillComparison:
    """The ledger beside the bill of one backend."""

    ours: tuple[BilledRequest, ...]
    others: tuple[BilledRequest, ...]
    recorded: Micros
    findings: tuple[Finding, ...]


def compare(
    attempts: Sequence[Attempt], bill: Sequence[BillRow], since: float, until: float
) -> _BillComparison:
    """Every difference, oldest first. `attempts`: all of the backend's, so that a request that none of
    them bears is somebody else's. Pure.
    """
    theirs = _requests(bill)
    known = {attempt.request_id: attempt for attempt in attempts if attempt.request_id}
    billed = [request for request in theirs.values() if request.cost]
    inside = [a for a in attempts if since <= _at(a) <= until and a.billed is Billed.YES]
    return _BillComparison(
        tuple(request for request in billed if request.request_id in known),
        tuple(request for request in billed if request.request_id not in known),
        sum(attempt.price if attempt.cost is None else attempt.cost for attempt in inside),
        (*_costs(known, theirs), *_missing(inside, theirs)),
    )


def _requests(bill: Sequence[BillRow]) -> dict[str, BilledRequest]:
    """By id, oldest first. A row of the bill is one output; a request with several has one for each."""
    found: dict[str, BilledRequest] = {}
    for row in sorted(bill, key=lambda row: row.created):
        first = found.get(row.request_id)
        found[row.request_id] = (
            replace(first, cost=first.cost + row.cost)
            if first
            else BilledRequest(row.request_id, row.model, row.cost, row.created)
        )
    return found


def _costs(known: dict[str, Attempt], theirs: dict[str, BilledRequest]) -> Iterator[Finding]:
    for request_id, request in theirs.items():
        attempt = known.get(request_id)
        if attempt is None or attempt.billed is Billed.UNKNOWN or _cost(attempt) == request.cost:
            continue
        yield Finding(
            Difference.COST_DIFFERS, request_id, request.model,
            _cost(attempt), request.cost, request.created,
        )  # fmt: skip


def _missing(inside: Sequence[Attempt], theirs: dict[str, BilledRequest]) -> Iterator[Finding]:
    for attempt in inside:
        elsewhere = attempt.details.get("origin") == "adopted"
        if attempt.request_id and attempt.request_id not in theirs and not elsewhere:
            yield Finding(
                Difference.NOT_BILLED, attempt.request_id, attempt.model,
                _cost(attempt), None, _at(attempt),
            )  # fmt: skip


def _at(attempt: Attempt) -> float:
    """Unix seconds, by the provider's clock where it had told the time."""
    at = moment(attempt.details.get(SERVER_TIME))
    return attempt.created if at is None else at


def _cost(attempt: Attempt) -> int:
    elsewhere = attempt.details.get("origin") == "shared"  # billed to another machine's ledger
    if attempt.billed is not Billed.YES and not elsewhere:
        return 0
    return attempt.price if attempt.cost is None else attempt.cost
