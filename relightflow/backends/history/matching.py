"""Which rows of the history are which doubtful attempts. Pure, and slow to believe.

A wrong 'adopted' loses an image, so a row is adopted only where it fits wholly. Whether an attempt
without a row is absent is decided in `absence`. Equal attempts (the repeats
of one cell look the same on the wire) are matched as a set: any of the rows will do for any of them.
A row that failed says the least: it may be that of an earlier try, which was answered with an error and
no id. So it stands back behind every row that did not fail, and counts only where the rows are all
there are.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from relightflow.backends.table import ModelRow
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import DIGEST, SERVER_TIME, digest
from relightflow.model.money import Micros
from relightflow.model.values import canonical_json

BEFORE = 10 * 60.0
"""Seconds by which the provider's clock may be behind ours, where INTENT has only our time."""
BEFORE_SERVER = 60.0
"""The same where INTENT has the provider's own time: what two of its machines may differ by."""
AFTER = 30 * 60.0
"""Seconds from INTENT within which the provider records the request, clock skew included."""


def sent_at(attempt: Attempt) -> float | None:
    """Unix seconds of INTENT by the provider's clock; None where that is not known."""
    at = attempt.details.get(SERVER_TIME)
    return float(at) if isinstance(at, int | float) and not isinstance(at, bool) else None


def earliest(attempt: Attempt) -> float:
    """Before this moment (the provider's Unix seconds) no row can be the attempt's."""
    at = sent_at(attempt)
    return attempt.created - BEFORE if at is None else at - BEFORE_SERVER


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One request as the provider recorded it."""

    request_id: str
    """Empty where it is none that we could use."""
    model: str
    status: str
    """COMPLETED, FAILED, or anything else: still open."""
    cost: Micros | None
    created: float | None
    """Unix seconds."""
    inputs: Mapping[str, Any] | None = field(repr=False)
    """As sent; None where they are not told."""
    url: str = field(default="", repr=False)
    error: str = ""
    """Why it failed, in words; empty: it did not."""
    price: Micros = 0
    """What it counts as in a bill where no cost is told."""
    undecided: str = ""
    """Why only a person can settle a call of this row, in words: nothing more comes of it, and it may have been
    billed."""
    removed: bool = False
    """The provider says that it has deleted what was sent: of this row no more can be known."""


@dataclass(frozen=True, slots=True)
class _ModelInputs:
    """How a model's calls look on the wire."""

    image_field: str = "image"
    """The input that carries the image."""
    parameters: frozenset[str] = frozenset()
    """Names of all that may be sent beside it."""


class Fit(enum.Enum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(slots=True)
class _MatchResult:
    """Attempt id → its row, and what is left: attempts without a row, and rows without an attempt."""

    found: dict[int, HistoryRow] = field(default_factory=dict)
    failed: dict[int, HistoryRow] = field(default_factory=dict)
    """No other row fits than this, which failed. To be believed as little as that there is none."""
    ambiguous: set[int] = field(default_factory=set)
    """More rows fit than there are attempts: somebody else's are among them."""
    free: list[HistoryRow] = field(default_factory=list)
    """Rows that are nobody's, failed and unbilled ones left out."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares attempts with rows, by what each model's calls look like."""

    models: Mapping[str, _ModelInputs]
    """Model → its inputs; one that is missing has the image in `image`."""

    @classmethod
    def of(cls, table: Iterable[ModelRow]) -> Matcher:
        """Tells which calls of these models a request history shows."""
        return cls(
            {
                row.model.name: _ModelInputs(
                    row.image_field, frozenset(p.name for p in row.model.parameters)
                )
                for row in table
            }
        )

    def match(self, doubts: Sequence[Attempt], rows: Iterable[HistoryRow]) -> _MatchResult:
        """Match `doubts` to `rows` that nobody owns."""
        rows = list(rows)
        result = _MatchResult()
        taken: set[str] = set()
        for cluster in _clusters([a for a in doubts if a.details.get(DIGEST)]):
            fitting = [r for r in rows if any(self.fit(a, r) is Fit.YES for a in cluster)]
            fitting.sort(key=lambda r: (_cost_nothing(r), r.created or 0.0))
            if sum(not _cost_nothing(r) for r in fitting) > len(cluster):
                result.ambiguous.update(a.id for a in cluster)
                continue
            for attempt in cluster:
                own = next((r for r in fitting if self.fit(attempt, r) is Fit.YES), None)
                if own is None:
                    continue
                fitting.remove(own)
                taken.add(own.request_id)
                (result.failed if _cost_nothing(own) else result.found)[attempt.id] = own
        result.free = [r for r in rows if r.request_id not in taken and not _cost_nothing(r)]
        return result

    def fit(self, attempt: Attempt, row: HistoryRow, hosts: frozenset[str] = frozenset()) -> Fit:
        """Whether `row` records `attempt`.

        `hosts`: where calls whose ids are known had their images (see `image_host`). An image at such a
        host that is not the one that was sent is another image; anywhere else it may be a copy of it.
        """
        inputs = self._inputs_fit(attempt, row, hosts)
        named = _slug(row.model) == _slug(attempt.model)
        if inputs is Fit.NO or (row.model and not named and _are_anothers(attempt, row)):
            return Fit.NO
        if row.created is None:
            return Fit.MAYBE
        at = sent_at(attempt)
        latest = (attempt.created if at is None else at) + AFTER
        if not earliest(attempt) <= row.created <= latest:
            # a moment that does not fit says little where all else does
            return Fit.MAYBE if inputs is Fit.YES else Fit.NO
        return Fit.YES if named and inputs is Fit.YES and row.request_id else Fit.MAYBE

    def vouches(self, attempt: Attempt, row: HistoryRow) -> bool:
        """Whether `row`, which bears the attempt's id, shows that the records hold such calls as they were
        sent; or that they hold them, where the provider has deleted what was sent."""
        fit = self.fit(attempt, row)
        same_model = _slug(row.model) == _slug(attempt.model)
        return fit is Fit.YES or (
            fit is Fit.MAYBE and row.removed and not row.inputs and same_model
        )

    def image_host(self, attempt: Attempt, row: HistoryRow) -> str:
        """Where the image stands in the row, if it is the one that was sent; else empty."""
        image = row.inputs.get(self._image_field(attempt)) if row.inputs else None
        if not isinstance(image, str) or digest(image) != attempt.details.get(DIGEST):
            return ""
        return _host(image)

    def _image_field(self, attempt: Attempt) -> str:
        known = self.models.get(attempt.model)
        return known.image_field if known else "image"

    def _inputs_fit(self, attempt: Attempt, row: HistoryRow, hosts: frozenset[str]) -> Fit:
        """Whether the recorded inputs are those that were sent."""
        if not row.inputs:
            return Fit.MAYBE
        known = self.models.get(attempt.model)
        image_field = self._image_field(attempt)
        told = {name: value for name, value in row.inputs.items() if name != image_field}
        sent = attempt.parameters
        likely = [_likeness(told[name], value) for name, value in sent.items() if name in told]
        if Fit.NO in likely:
            return Fit.NO
        image = row.inputs.get(image_field)
        was_sent = attempt.details.get(DIGEST)
        same_image = isinstance(image, str) and digest(image) == was_sent
        if was_sent and isinstance(image, str) and not same_image and _host(image) in hosts:
            return Fit.NO
        whole = Fit.MAYBE not in likely and all(name in told for name in sent)
        extra = known is not None and any(n not in sent and n in known.parameters for n in told)
        return Fit.YES if same_image and whole and not extra else Fit.MAYBE


def _cost_nothing(row: HistoryRow) -> bool:
    """Whose ever it is, it was not billed."""
    return row.status == "FAILED" and not row.cost


def _host(image: str) -> str:
    try:
        parts = urlsplit(image)
    except ValueError:
        return ""
    return parts.scheme if parts.scheme == "data" else parts.netloc


def _are_anothers(attempt: Attempt, row: HistoryRow) -> bool:
    """Whether the inputs are legible and lack something that this model's calls always have."""
    told = row.inputs or {}
    return bool(told) and any(name not in told for name in attempt.parameters)


def _likeness(told: object, sent: object) -> Fit:
    """Whether two JSON values are the same, or might be: case, spaces and quotes are no difference."""
    if _same(told, sent):
        return Fit.YES
    return Fit.MAYBE if _plain(told) == _plain(sent) else Fit.NO


def _plain(value: object) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    text = text.strip().strip("\"'").casefold().replace("-", "_").replace(" ", "_")
    return text.removesuffix(".0")


def _same(told: object, sent: object) -> bool:
    """Equality of JSON values: 2 is 2.0, and true is not 1."""
    return told == sent and isinstance(told, bool) == isinstance(sent, bool)


def _clusters(doubts: Sequence[Attempt]) -> list[list[Attempt]]:
    """Equal attempts whose times are so near that a row could be either's; earliest first."""
    clusters: list[list[Attempt]] = []
    identity = {a.id: canonical_json([a.model, a.parameters, a.details[DIGEST]]) for a in doubts}
    for attempt in sorted(doubts, key=lambda a: (identity[a.id], earliest(a))):
        last = clusters[-1][-1] if clusters else None
        near = last and earliest(attempt) - earliest(last) <= BEFORE + AFTER
        if last and near and identity[last.id] == identity[attempt.id]:
            clusters[-1].append(attempt)
        else:
            clusters.append([attempt])
    return clusters


def _slug(name: str) -> str:
    return name.strip().casefold().replace(" ", "-").replace("_", "-")
