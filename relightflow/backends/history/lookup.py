"""Settles calls in doubt by a provider's own records, however these are read.

The order is the same for all: what has an id is asked for by it; the rest is matched with the rows that
nobody owns; what has no row is absent only where `absence` says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from relightflow.backends.history.absence import (
    NOISE,
    Bracket,
    Reading,
    bracket,
    proof_of_absence,
    reach,
)
from relightflow.backends.history.matching import AFTER, BEFORE, HistoryRow, earliest, sent_at
from relightflow.backends.history.records import HistoryListing, Records, Span
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Evidence, Needs, Undecided
from relightflow.model.step import Step
from relightflow.plugins.backend import RecordsQuery, Retry


async def look_up(records: Records[Any], query: RecordsQuery, retry: Retry) -> Evidence:
    """See `relightflow.plugins.backend.HasHistory`. Raises `CallFailed`."""
    findings = _EvidenceBuilder(records)
    nameless: list[Attempt] = []
    for attempt in query.doubts:
        if attempt.request_id:
            findings.named(attempt, await records.by_id(attempt.request_id, retry))
        else:
            nameless.append(attempt)
    if nameless:
        await _settle(records, nameless, query, retry, findings)
    return findings.evidence


async def _settle(
    records: Records[Any],
    doubts: Sequence[Attempt],
    query: RecordsQuery,
    retry: Retry,
    findings: _EvidenceBuilder,
) -> None:
    now = findings.now = await records.server_time(retry)
    around = [(a, found) for a in doubts if (found := _could_be_absent(a, query, now))]
    span = _span(doubts, around, now)
    listing = await records.between(span, retry, whole=bool(around))
    reading = _reading(listing, now, records.forgets)
    unowned = [r for n, r in reading.rows.items() if n not in query.known_ids]
    matches = records.matcher.match(doubts, [*unowned, *reading.unnamed])
    for attempt in doubts:
        if own := matches.found.get(attempt.id):
            findings.named(attempt, own)
            continue
        why = proof_of_absence(
            attempt, query.known, reading, matches.free, query.lag, records.matcher
        )
        if why is None and not around:  # the records were not read for that
            why = Undecided(Needs.TIME, "the provider's records may not show the call yet")
        if why is None and attempt.id in matches.ambiguous:
            words = "the provider's records contain more such calls than were made from here"
            why = Undecided(Needs.PERSON, words)
        findings.nameless(attempt, matches.failed.get(attempt.id), why)


@dataclass(slots=True)
class _EvidenceBuilder:
    """The answer about each attempt, as it is found."""

    records: Records[Any]
    adopted: list[tuple[int, Step]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)
    undecided: list[tuple[int, Undecided]] = field(default_factory=list)
    now: float | None = None

    def named(self, attempt: Attempt, own: HistoryRow | None) -> None:
        """The row that is certainly the attempt's."""
        if own is None:
            words = "the provider's records do not contain its request"
            self.undecided.append((attempt.id, Undecided(Needs.TIME, words)))
        elif own.undecided or (own.status == "FAILED" and own.cost):
            why = own.undecided or own.error
            self.undecided.append((attempt.id, Undecided(Needs.PERSON, why)))
        elif own.status == "FAILED":
            self.failed.append((attempt.id, own.error))
        elif step := self.records.step(attempt, own):
            self.adopted.append((attempt.id, step))
        else:
            words = "the provider's records contain it, without a result yet"
            self.undecided.append((attempt.id, Undecided(Needs.TIME, words)))

    def nameless(
        self, attempt: Attempt, failed_row: HistoryRow | None, why: Undecided | None
    ) -> None:
        """No row is the attempt's but perhaps one that failed. `why`: it may still be taken."""
        if why:
            self.undecided.append((attempt.id, why))
        elif failed_row:
            self.failed.append((attempt.id, failed_row.error))
        else:
            self.absent.append(attempt.id)

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            tuple(self.adopted),
            tuple(self.failed),
            tuple(self.absent),
            tuple(self.undecided),
            self.now,
        )


def _could_be_absent(attempt: Attempt, query: RecordsQuery, now: float | None) -> Bracket | None:
    """The calls that vouch for it, if that is worth a whole reading by now."""
    at = sent_at(attempt)
    if at is None or now is None or now + NOISE < at + query.lag:
        return None
    around = bracket(attempt, query.known)
    return around if isinstance(around, Bracket) else None


def _span(
    doubts: Sequence[Attempt], around: Sequence[tuple[Attempt, Bracket]], now: float | None
) -> Span:
    """What has to be read: from the first call that may show up to the last."""
    since = [earliest(a) for a in doubts]
    until = [earliest(a) + BEFORE + AFTER for a in doubts]
    for attempt, found in around:
        since.append(reach(attempt, found))
        until.append(max(earliest(a) for a in found.vouching) + AFTER)
    return Span(min(since), min(max(until), now or math.inf))


def _reading(found: HistoryListing, now: float | None, forgets: bool) -> Reading:
    named: dict[str, HistoryRow] = {}
    doubt = found.doubt
    for row in found.rows:
        if not row.request_id:
            continue
        other = named.setdefault(row.request_id, row)
        if (other.model, other.inputs) != (row.model, row.inputs):
            doubt = doubt or "the same request id at two different calls"
        if other.status != "COMPLETED":
            named[row.request_id] = row
    unnamed = [row for row in found.rows if not row.request_id]
    return Reading(named, unnamed, found.since, doubt, now, forgets)
