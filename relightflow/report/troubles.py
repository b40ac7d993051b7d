"""Gathers what did not work: many items with one cause are one line, with the first few named.

What the ledger knows is told from how jobs stand at the end, so that a doubt which was settled
meanwhile is not told; only what never reached the ledger is told from the stream of outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relightflow.errors import GRAVEST_FIRST, Exit
from relightflow.ledger.rows import Standing
from relightflow.model.attempt import State
from relightflow.model.failure import EXIT_OF, Billed, Failure, Kind
from relightflow.model.image import Rejected
from relightflow.model.job import Output
from relightflow.model.money import Micros, dollars
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Trouble

FIRST = 5
"""Items named for one cause."""
MOST = 40
"""Causes told one by one; the rest share a line."""
_FLEETING = frozenset(
    {
        Kind.PENDING,
        Kind.REFUSED_SAFETY,
        Kind.ACCOUNT,
        Kind.UNSENT,
        Kind.UNAVAILABLE,
        Kind.BUG,
        Kind.DAMAGED,
    }
)
"""Kinds that leave the attempt as it was, so that the ledger does not hold the message."""
_NEXT = {
    Kind.UNKNOWN: "It is looked up in the provider's records by the next run; 'relightflow resolve' "
    "lists it and takes your decision",
    Kind.BAD_RESULT: "It is not bought again by itself",
    Kind.PENDING: "Run again to collect it; nothing is bought for that",
}


@dataclass(slots=True)
class Troubles:
    _found: dict[tuple[Exit, str], Trouble] = field(default_factory=dict)
    _fleeting: dict[str, Failure] = field(default_factory=dict)
    """Job key → what a run could not finish and did not write down."""

    def outcome(self, outcome: Outcome) -> None:
        """Something that ended without a picture."""
        failure = outcome.failure
        if failure and failure.kind in _FLEETING and len(self._fleeting) < 10_000:
            self._fleeting[outcome.job.key] = failure

    def standing(self, output: Output, standing: Standing | None) -> None:
        """How one output stands at the end of the run."""
        fleeting = self._fleeting.get(output.job.key)
        stored = standing is not None and standing.state in (State.STORED, State.DONE)
        if stored and not (fleeting and fleeting.kind is Kind.DAMAGED):
            return
        if fleeting:
            self._add(EXIT_OF[fleeting.kind], _words(fleeting.message, fleeting.billed), output)
        if standing is not None and standing.state is State.UNKNOWN:  # whatever else it was
            words = _words(standing.reason, standing.billed, standing.price)
            self._add(Exit.UNKNOWN, f"{words}. {_NEXT[Kind.UNKNOWN]}", output)
        elif fleeting or standing is None or standing.state is State.READY:
            return
        elif standing.state is State.FAILED:
            kind = standing.kind or Kind.JOB_FAILED
            words = _words(standing.reason, standing.billed, standing.cost)
            self._add(EXIT_OF[kind], ". ".join(filter(None, (words, _NEXT.get(kind)))), output)
        elif standing.state is State.PAID_UNFETCHED:
            words = _words("the answer was cut short", standing.billed, standing.cost)
            self._add(Exit.UNKNOWN, f"{words}. {_NEXT[Kind.UNKNOWN]}", output)
        else:
            self._add(Exit.EARLY, f"not collected yet. {_NEXT[Kind.PENDING]}", output)

    def rejected(self, item: Rejected) -> None:
        code = Exit.REFUSED if item.refused else Exit.JOBS_FAILED
        self._put(code, f"image not used: {item.reason}", item.name)

    def trouble(self, trouble: Trouble) -> None:
        self._found.setdefault((trouble.exit, trouble.message), trouble)

    def all(self) -> tuple[Trouble, ...]:
        """The gravest first."""
        return tuple(
            sorted(self._found.values(), key=lambda trouble: GRAVEST_FIRST.index(trouble.exit))
        )

    def _add(self, code: Exit, message: str, output: Output) -> None:
        self._put(code, message, describe(output))

    def _put(self, code: Exit, message: str, item: str) -> None:
        key = (code, message)
        if key not in self._found and len(self._found) >= MOST:
            key = (code, "other causes; the manifest has each")
        old = self._found.get(key)
        if old is None:
            self._found[key] = Trouble(code, key[1], (item,))
        else:
            items = old.items if len(old.items) >= FIRST else (*old.items, item)
            self._found[key] = Trouble(code, key[1], items, old.count + 1)


def describe(output: Output) -> str:
    """An output in a few words: image, values, repeat."""
    values = ", ".join(str(value) for value in output.cell.values())
    repeat = f", repeat {output.job.repeat}" if output.job.repeat else ""
    return f"{output.image.name} ({values}{repeat})" if values or repeat else output.image.name


def _words(reason: str, billed: Billed, price: Micros | None = None) -> str:
    money = f", {dollars(price)} USD" if price and billed is not Billed.NO else ""
    said = {
        Billed.NO: "not billed",
        Billed.YES: f"billed{money}",
        Billed.UNKNOWN: f"may have been billed{money}",
    }[billed]
    return f"{reason or 'no reason was given'} ({said})"
