"""One accepted request, as the provider remembers it: its whole life is decided at its birth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Record:
    """A request that was accepted. All times are Unix seconds."""

    request_id: str
    api: str
    """`v1` or `v2`."""
    model: str
    body: dict[str, Any]
    """The inputs as sent; never changed."""
    image: str
    """The input image's URL; a `data:` URI in short, by its sha256."""
    cost: Micros
    """What was billed; 0 for a request that fails, where the provider does not bill that."""
    created: float
    starts: float
    """End of the queue."""
    done: float
    expires: float
    """When the v2 record is forgotten."""
    outputs: tuple[str, ...]
    """Names under /outputs/."""
    media_type: str
    """Of the outputs; empty: that of the input."""
    seed: int
    remaining: Micros
    """The balance after this request."""
    error: str = ""
    """Why it failed; empty: it did not."""
    hidden: bool = False
    """Never shown in the history."""

    @property
    def billed(self) -> bool:
        return not self.error or self.cost > 0

    def status(self, now: float) -> str:
        if now < self.starts:
            return "QUEUED"
        if now < self.done:
            return "PROCESSING"
        return "FAILED" if self.error else "COMPLETED"
