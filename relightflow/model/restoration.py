"""What the blob store knew and the ledger did not."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.money import Micros, dollars


@dataclass(frozen=True, slots=True)
class Restoration:
    """Attempts that were put back into a ledger which was older than the blob store."""

    results: int = 0
    """Finished, with their images."""
    calls: int = 0
    """Under way or in doubt: collected, or looked up, by the next run."""
    ended: int = 0
    """Closed without an image."""
    price: Micros = 0
    """What they cost, or may have cost."""
    repeated: int = 0
    """Closed, since the ledger has another attempt of the job that is kept."""

    def __bool__(self) -> bool:
        return bool(self.attempts)

    def __str__(self) -> str:
        """`16 results and 2 open calls, 0.90 USD`"""
        parts = [
            f"{number:,} {name if number == 1 else name + 's'}"
            for number, name in (
                (self.results, "result"),
                (self.calls, "open call"),
                (self.ended, "failed call"),
                (self.repeated, "repeated call"),
            )
            if number
        ]
        return f"{' and '.join(parts) or 'nothing'}, {dollars(self.price)} USD"

    @property
    def attempts(self) -> int:
        return self.results + self.calls + self.ended + self.repeated


NOTHING = Restoration()
