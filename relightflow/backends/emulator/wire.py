"""The wire log: who asked for what, and whether a key came along. Never the key itself."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

_KEPT = 50_000
"""Newest calls that are kept one by one; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Seen:
    at: float
    """Unix seconds."""
    method: str
    path: str
    host: str
    """The Host header."""
    phase: str
    key: bool
    """Whether a key, or any authorization, was sent along."""
    fault: str
    """The fault that was played; empty: none."""


class WireLog:
    def __init__(self) -> None:
        self.calls: deque[Seen] = deque(maxlen=_KEPT)
        self._counts: Counter[tuple[str, str, bool]] = Counter()
        self._faults: Counter[str] = Counter()
        self._statuses: Counter[tuple[str, int]] = Counter()

    def note(self, seen: Seen) -> None:
        self.calls.append(seen)
        self._counts[seen.phase, seen.host, seen.key] += 1
        if seen.fault:
            self._faults[seen.fault] += 1

    def answered(self, phase: str, status: int) -> None:
        self._statuses[phase, status] += 1

    def summary(self, newest: int | None = None) -> dict[str, Any]:
        """Counts by phase, with key, by host, by status and by fault; and the `newest` calls."""
        calls = list(self.calls)[-newest:] if newest else [] if newest == 0 else self.calls
        phases: Counter[str] = Counter()
        keyed: Counter[str] = Counter()
        hosts: dict[str, dict[str, int]] = {}
        for (phase, host, key), count in self._counts.items():
            phases[phase] += count
            keyed[phase] += count if key else 0
            of_host = hosts.setdefault(host, {"calls": 0, "with_key": 0})
            of_host["calls"] += count
            of_host["with_key"] += count if key else 0
        return {
            "phases": dict(phases),
            "with_key": dict(keyed),
            "hosts": hosts,
            "statuses": {
                f"{phase} {status}": count for (phase, status), count in self._statuses.items()
            },
            "faults": dict(self._faults),
            "calls": [{name: getattr(seen, name) for name in Seen.__slots__} for seen in calls],
        }
