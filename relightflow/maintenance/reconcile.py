"""Compares the ledger with the provider's bill of a period and names every difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt
from relightflow.model.failure import Billed
from relightflow.model.maintenance import Difference, Finding
from relightflow.plugins.backend import BillRow
from relightflow.store.state_dir import StateDir

_EDGE = 900.0
"""Seconds around the period in which our clock and the provider's may disagree."""


def recorded(state_dir: StateDir, backend: str, since: float, until: float) -> list[Attempt]:
    """The ledger's attempts of the period with a little around it. Reads only."""
    with open_reader(state_dir.ledger) as reader:
        found = reader.attempts(since - _EDGE)
    return [a for a in found if a.backend == backend and a.created <= until + _EDGE]


def compare(
    attempts: Sequence[Attempt], bill: Sequence[BillRow], since: float, until: float
) -> Iterator[Finding]:
    """Every difference, oldest first. Pure.

    A row of the bill is one output; a request with several has a row for each, so rows of one id
    are added up.
    """
    theirs: dict[str, BillRow] = {}
    total: dict[str, int] = {}
    for row in bill:
        theirs.setdefault(row.request_id, row)
        total[row.request_id] = total.get(row.request_id, 0) + row.cost
    ours = {attempt.request_id: attempt for attempt in attempts if attempt.request_id}
    for request_id, row in sorted(theirs.items(), key=lambda item: item[1].created):
        attempt = ours.get(request_id)
        cost = total[request_id]
        if attempt is None and cost:
            kind, our_cost = Difference.UNKNOWN_TO_US, None
        elif (
            attempt is not None and _cost(attempt) != cost and attempt.billed is not Billed.UNKNOWN
        ):
            kind, our_cost = Difference.COST_DIFFERS, _cost(attempt)
        else:
            continue
        yield Finding(kind, request_id, row.model, our_cost, cost, row.created)
    for request_id, attempt in ours.items():
        inside = since <= attempt.created <= until and attempt.details.get("origin") != "adopted"
        if inside and request_id not in theirs and attempt.billed is Billed.YES:
            yield Finding(
                Difference.NOT_BILLED,
                request_id,
                attempt.model,
                _cost(attempt),
                None,
                attempt.created,
            )


def _cost(attempt: Attempt) -> int:
    elsewhere = attempt.details.get("origin") == "shared"  # billed to another machine's ledger
    if attempt.billed is not Billed.YES and not elsewhere:
        return 0
    return attempt.price if attempt.cost is None else attempt.cost
