"""Whether the records prove that a call was never taken. Pure, and slow to believe.

A wrong 'absent' is paid twice. That a listing holds no row of a call means nothing by itself: the
listing may be late, cut, wrongly paged, or may show inputs in a form that we do not recognise. So it
has to show that it would have shown the call: calls of our own that were certainly taken, made before
and after it, must all be there and look as they were sent, by the same reading and the same
comparison. docs/explanation/never-pay-twice.md, 'When a call counts as never received', has the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from relightflow.backends.history.matching import (
    AFTER,
    BEFORE_SERVER,
    Fit,
    HistoryRow,
    Matcher,
    earliest,
    sent_at,
)
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import ACCOUNT, Needs, Undecided, undecided

_REACH = 3600.0
"""Seconds before one of the first calls from which on the records are read."""
NOISE = 1.0
"""Seconds to which the provider's time is known: its `Date` has whole ones."""
_CLOCK_SLACK = 10.0
"""Seconds by which the ledger's order and the provider's times may disagree."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The records as they were read, and all that bears on how far they can be believed."""

    rows: Mapping[str, HistoryRow]
    """By request id."""
    unnamed: Sequence[HistoryRow]
    """Rows without a usable id."""
    since: float
    """Rows from before this moment (the provider's Unix seconds) need not be there."""
    doubt: str
    """Why rows may be missing, in words; empty where it was read whole, twice and alike."""
    now: float | None
    """The provider's Unix seconds at the end of the reading; None: it does not say."""
    forgets: bool = True
    """False: a stand-in on this machine, which keeps everything that it was ever asked."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Calls of our own with known ids around a doubtful one, by the order of the ledger. They are of its model:
    records may be kept, or listed, by model, and that they show one says nothing of another."""

    before: Attempt | None
    """None: the doubtful one is among the first calls of this state."""
    after: Attempt
    vouching: tuple[Attempt, ...]
    """All known calls whose rows must be in the records if the doubtful one's would be: those above,
    and everything made about that time."""


def bracket(doubt: Attempt, known: Iterable[Attempt]) -> Bracket | Undecided:
    """The calls that can vouch for `doubt`, or what is missing."""
    at = sent_at(doubt)
    if at is None:
        return Undecided(
            Needs.PERSON,
            "the provider had sent no time before the call, so its absence cannot be proven",
        )
    timed = sorted((a for a in known if sent_at(a) is not None), key=lambda a: a.id)
    own = [a for a in timed if _same_key(doubt, a)]
    alike = [a for a in timed if a.model == doubt.model]
    before = _nearest(doubt, [a for a in alike if a.id < doubt.id])
    after = _nearest(doubt, [a for a in alike if a.id > doubt.id])
    if not after:
        return Undecided(
            Needs.PURCHASE,
            "the provider's records do not show a later call of this model and state yet; they count as "
            "complete once they do",
        )
    first, last = (before[-1] if before else None), after[0]
    if not any(_same_key(doubt, a) for a in (first, last) if a):
        return Undecided(
            Needs.PERSON,
            "it was made with another key than the calls around it, so they cannot show what became "
            "of a call of that account",
        )
    too_late = first is not None and _time(first) > at + _CLOCK_SLACK
    if too_late or _time(last) < at - _CLOCK_SLACK:
        return Undecided(
            Needs.PERSON, "the provider's clock contradicts the order in which calls were made"
        )
    near = (a for a in own if at - BEFORE_SERVER <= _time(a) <= at + AFTER)
    vouching = {a.id: a for a in (first, last, *near) if a is not None}
    return Bracket(first, last, tuple(vouching.values()))


def _same_key(doubt: Attempt, call: Attempt) -> bool:
    """Whether both were made with the same key, so that records which hold the one would hold the other. A
    doubt of an older version does not say with which it was made."""
    key = doubt.details.get(ACCOUNT)
    return key is None or call.details.get(ACCOUNT) == key


def _nearest(doubt: Attempt, calls: Sequence[Attempt]) -> Sequence[Attempt]:
    """Those that were made with the same key; where there is none, all: a key may have been replaced by another
    one of the same account."""
    return [call for call in calls if _same_key(doubt, call)] or calls


def reach(doubt: Attempt, around: Bracket) -> float:
    """How far back (the provider's Unix seconds) a reading must go to be believed."""
    least = min(earliest(a) for a in around.vouching)
    return least if around.before else min(least, earliest(doubt) - _REACH)


def proof_of_absence(
    doubt: Attempt,
    known: Sequence[Attempt],
    reading: Reading,
    free: Iterable[HistoryRow],
    lag: float,
    matcher: Matcher,
) -> Undecided | None:
    """None: `doubt` was never taken, and nothing was billed for it. Otherwise why that is not proven.

    `known`: calls of our own that were certainly taken. `free`: rows that are nobody's. `lag`: seconds
    for which the records may lack a call. Money depends on this: every line is a way to be wrong.
    """
    around = bracket(doubt, known)
    if isinstance(around, Undecided):
        return around
    at = _time(doubt)
    if reading.now is None:
        return Undecided(Needs.TIME, "the provider sent no time")
    if reading.now + NOISE < at + lag:
        words = "the provider's records may not show the call yet"
        return Undecided(Needs.TIME, words, at + lag)
    if reading.doubt:
        return Undecided(Needs.TIME, f"the provider's records prove nothing: {reading.doubt}")
    if reach(doubt, around) < reading.since:
        return Undecided(Needs.TIME, "the provider's records were not read far enough back")
    hosts: set[str] = set()
    for call in around.vouching:
        row = reading.rows.get(call.request_id)
        late = _time(call) + lag
        if row is None and late > reading.now and call not in (around.before, around.after):
            continue  # too new to be missed, and not one of the two that are needed
        if row is None:
            words = "the provider's records omit a call that was certainly accepted"
            return Undecided(Needs.TIME, words, late if late > reading.now else None)
        if not matcher.vouches(call, row):
            return Undecided(
                Needs.PERSON,
                "the provider's records describe calls differently from how they were sent, so "
                "they cannot be compared",
            )
        hosts.add(matcher.image_host(call, row))
    if any(matcher.fit(doubt, row, frozenset(hosts)) is not Fit.NO for row in free):
        return Undecided(
            Needs.PERSON,
            "the provider's records contain a call that may or may not be this one",
        )
    if around.before or not reading.forgets:
        return None
    return _never_forgotten(doubt, around.after, reading.now)


def _never_forgotten(doubt: Attempt, after: Attempt, now: float) -> Undecided | None:
    """Nothing earlier shows that the records reach back to `doubt`. They do if they still show `after`
    when it has become as old as `doubt` was when they first lacked it."""
    last = undecided(doubt.details)
    first_lacked = last.absent_at if last else None
    if first_lacked is None:
        first_lacked = now
    due = first_lacked + max(0.0, _time(after) - _time(doubt)) + 1.0
    if now >= due:
        return None
    words = "the provider's records may have forgotten it already: nothing earlier is in them"
    return Undecided(Needs.TIME, words, due, first_lacked)


def _time(attempt: Attempt) -> float:
    at = sent_at(attempt)
    assert at is not None
    return at
