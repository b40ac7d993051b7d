"""A run's own folder: its manifest, summary and events."""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relightflow.core.group_commit import GroupCommit
from relightflow.core.redact import known
from relightflow.errors import StorageError
from relightflow.model.outcome import Outcome

_EVENTS = "events.jsonl"
MANIFEST = "manifest.jsonl"
SUMMARY = "summary.json"
_LINGER = 0.05
"""Seconds for which an event waits for others."""


class RunFolder:
    """Writes events in a thread of its own, so that the event loop never waits for the disk."""

    def __init__(self, path: Path) -> None:
        """Raises StorageError where the folder cannot be made."""
        try:
            path.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StorageError(f"{path} cannot be created: {error.strerror}") from error
        self.path = path
        self._events: list[Outcome] = []
        self._batcher: GroupCommit[Sequence[Outcome], None] = GroupCommit(self._write, "events")

    def outcome(self, outcome: Outcome) -> None:
        """One job that was touched, with its times, which the manifest leaves out."""
        if not self._events:
            asyncio.get_running_loop().call_later(_LINGER, self._pass_on)
        self._events.append(outcome)

    def _pass_on(self) -> None:
        """One wake-up of the thread for all outcomes of a while."""
        if self._events:
            self._batcher.tell(self._events)
        self._events = []

    def close(self) -> None:
        self._pass_on()
        self._batcher.close()

    def share_manifest(self) -> None:
        """A manifest that says what the last run's says takes no room of its own. Blocks."""
        mine = self.path / MANIFEST
        earlier = [path for path in self.path.parent.iterdir() if path.name < self.path.name]
        if not earlier:
            return
        last = max(earlier) / MANIFEST
        if last.parent.is_symlink() or last.is_symlink():
            return
        if last.is_file() and filecmp.cmp(last, mine, shallow=False):
            spare = self.path / "manifest.tmp"
            with contextlib.suppress(OSError):  # a file system without hard links keeps both
                spare.hardlink_to(last)
                spare.rename(mine)

    def _write(self, batches: Sequence[Sequence[Outcome]]) -> Sequence[None]:
        events = (_event(outcome) for outcomes in batches for outcome in outcomes)
        with (self.path / _EVENTS).open("a", encoding="ascii") as lines:
            lines.writelines(known(_EVENT.encode(event)) + "\n" for event in events)
        return [None] * len(batches)


_EVENT = json.JSONEncoder(separators=(",", ":"))


def _event(outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "at": round(time.time(), 3),
        "job": outcome.job.key,
        "attempt": outcome.attempt or None,
        "calls": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "sha256": outcome.result.sha256 if outcome.result else None,
        "failure": failure
        and {
            "kind": failure.kind,
            "billed": failure.billed,
            "message": failure.message,
            **({"traceback": failure.trace} if failure.trace else {}),
        },
    }


def write_summary(folder: Path, document: Mapping[str, Any]) -> None:
    """What the manifest leaves out: times, retries, what was there already."""
    text = known(json.dumps(document, indent=2)) + "\n"
    try:
        (folder / SUMMARY).write_text(text, encoding="ascii")
    except OSError as error:
        raise StorageError(
            f"the summary could not be written to {folder} ({error.strerror}); what was made is "
            "stored and delivered"
        ) from error
