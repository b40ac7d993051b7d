"""Which rows of the history are which doubtful attempts. Pure, and slow to believe.

A wrong 'absent' buys twice, a wrong 'adopted' loses an image. So a row is adopted only where it
fits wholly, and an attempt is absent only where no row could be its own. Equal attempts (the repeats
of one cell look the same on the wire) are matched as a set: any of the rows will do for any of them.
A row that failed says the least: it may be that of an earlier try, which was answered with an error and
no id. So it stands back behind every row that did not fail, and counts only where the rows are all
there are.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from relightflow.backends.segmind import models
from relightflow.backends.segmind.assets import digest
from relightflow.backends.segmind.rows import HistoryRow
from relightflow.model.attempt import Attempt
from relightflow.model.values import canonical_json

BEFORE = 10 * 60.0
"""Seconds by which the provider's clock may be behind ours."""
AFTER = 30 * 60.0
"""Seconds from INTENT within which the provider records the request, clock skew included."""
SAME_DAY = 15 * 3600.0
"""A wholly fitting row this near in time is not ours and not ignored: a zone may be missing."""
DIGEST = "image_digest"
"""Where an attempt's details hold the sha256 of the image value that was sent."""


class Fit(enum.Enum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(slots=True)
class MatchResult:
    """Attempt id → its row, and the attempts for which there is certainly none that was billed."""

    found: dict[int, HistoryRow] = field(default_factory=dict)
    failed: dict[int, HistoryRow] = field(default_factory=dict)
    """No other row fits than this, which failed. As for `absent`, the records must have settled."""
    absent: list[int] = field(default_factory=list)


def match(doubts: Sequence[Attempt], rows: Iterable[HistoryRow], complete: bool) -> MatchResult:
    """Match `doubts` to `rows` that nobody owns. `complete`: the rows are all there are."""
    rows = list(rows)
    result = MatchResult()
    leftover: list[Attempt] = []
    taken: set[str] = set()
    for cluster in _clusters([a for a in doubts if a.details.get(DIGEST)]):
        fitting = [r for r in rows if any(fit(a, r) is Fit.YES for a in cluster)]
        fitting.sort(key=lambda r: (_cost_nothing(r), r.created or 0.0))
        if sum(not _cost_nothing(r) for r in fitting) > len(cluster):
            continue  # more requests than attempts: somebody else's are among them
        for attempt in cluster:
            own = next((r for r in fitting if fit(attempt, r) is Fit.YES), None)
            if own is None:
                leftover.append(attempt)
                continue
            fitting.remove(own)
            taken.add(own.request_id)
            (result.failed if _cost_nothing(own) else result.found)[attempt.id] = own
    if not complete:
        result.failed.clear()
        return result
    others = [r for r in rows if r.request_id not in taken and not _cost_nothing(r)]
    result.absent = [a.id for a in leftover if all(fit(a, other) is Fit.NO for other in others)]
    return result


def _cost_nothing(row: HistoryRow) -> bool:
    """Whose ever it is, it was not billed."""
    return row.status == "FAILED" and not row.cost


def fit(attempt: Attempt, row: HistoryRow) -> Fit:
    """Whether `row` records `attempt`."""
    inputs = _inputs_fit(attempt, row)
    if inputs is Fit.NO:
        return Fit.NO
    named = _slug(row.model) == _slug(attempt.model)
    if row.model and not named and inputs is Fit.MAYBE:
        return Fit.NO  # another model's request, with inputs that do not point here
    later = 0.0 if row.created is None else row.created - attempt.created
    if not -BEFORE <= later <= AFTER:
        return Fit.MAYBE if inputs is Fit.YES and abs(later) <= SAME_DAY else Fit.NO
    certain = named and inputs is Fit.YES and row.created is not None and row.request_id
    return Fit.YES if certain else Fit.MAYBE


def _inputs_fit(attempt: Attempt, row: HistoryRow) -> Fit:
    """Whether the recorded inputs are those that were sent."""
    if row.inputs is None:
        return Fit.MAYBE
    known = models.row(attempt.model)
    image_field = known.image_field if known else "image"
    told = {name: value for name, value in row.inputs.items() if name != image_field}
    sent = attempt.parameters
    if any(not _same(told[name], value) for name, value in sent.items() if name in told):
        return Fit.NO
    image = row.inputs.get(image_field)
    same_image = isinstance(image, str) and digest(image) == attempt.details[DIGEST]
    if isinstance(image, str) and not same_image and not attempt.details.get("inline"):
        return Fit.NO  # a URL is recorded as it is; what was inside a request may not be
    whole = all(name in told for name in sent)
    extra = known is not None and any(n not in sent and known.model.parameter(n) for n in told)
    return Fit.YES if same_image and whole and not extra else Fit.MAYBE


def _same(told: object, sent: object) -> bool:
    """Equality of JSON values: 2 is 2.0, and true is not 1."""
    return told == sent and isinstance(told, bool) == isinstance(sent, bool)


def _clusters(doubts: Sequence[Attempt]) -> list[list[Attempt]]:
    """Equal attempts whose times are so near that a row could be either's; earliest first."""
    clusters: list[list[Attempt]] = []
    identity = {a.id: canonical_json([a.model, a.parameters, a.details[DIGEST]]) for a in doubts}
    for attempt in sorted(doubts, key=lambda a: (identity[a.id], a.created)):
        last = clusters[-1][-1] if clusters else None
        near = last and attempt.created - last.created <= BEFORE + AFTER
        if last and near and identity[last.id] == identity[attempt.id]:
            clusters[-1].append(attempt)
        else:
            clusters.append([attempt])
    return clusters


def _slug(name: str) -> str:
    return name.strip().casefold().replace(" ", "-").replace("_", "-")
