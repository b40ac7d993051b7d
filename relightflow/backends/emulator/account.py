"""The account: its credits, every accepted request, and the bill.

The journal's line of a billed call is written (one `write` to an append-only file) before any answer
can leave, so a client's death never loses a line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.backends.emulator.record import Record
from relightflow.errors import UsageError
from relightflow.model.money import Micros, usd

IMAGE_FIELDS = ("image", "subject_image", "image_url")
"""What the inputs that carry an image are called, of any model."""


class EmulatorAccount:
    """Owner of credits and records. Not thread-safe: it lives on the event loop.

    Raises UsageError where the journal cannot be written.
    """

    def __init__(self, credits_: Micros, journal: Path | None = None) -> None:
        self.credits = credits_
        self.spent: Micros = 0
        self._records: dict[str, Record] = {}
        self._images: dict[str, str] = {}
        self._journal = _open(journal) if journal else None

    def accept(self, record: Record) -> Record:
        """Take a request: remember it, and bill it unless it will fail."""
        if record.billed:
            self.credits -= record.cost
            self.spent += record.cost
        record = replace(record, remaining=self.credits)
        self._records[record.request_id] = record
        if record.billed and self._journal is not None:
            os.write(self._journal, json.dumps(bill_row(record)).encode() + b"\n")
        return record

    def find(self, request_id: str) -> Record | None:
        return self._records.get(request_id)

    def share(self, image: str) -> str:
        """One copy of a long image text for all the requests that send it."""
        return self._images.setdefault(image, image) if len(image) > 1000 else image

    def __iter__(self) -> Iterator[Record]:
        """In the order they were taken."""
        return iter(tuple(self._records.values()))

    def close(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None


def _open(journal: Path) -> int:
    try:
        return os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as problem:
        raise UsageError(f"the journal {journal} cannot be written: {problem.strerror}") from None


def bill_row(record: Record) -> dict[str, Any]:
    """One line of the bill, as `/__bill` and the journal show it."""
    return {
        "request_id": record.request_id,
        "api": record.api,
        "model": record.model,
        "parameters": parameters(record),
        "image": record.image,
        "billed": record.billed,
        "cost": usd(record.cost) if record.billed else 0.0,
        "created": record.created,
        "error": record.error,
    }


def parameters(record: Record) -> dict[str, Any]:
    """What was asked for beside the image."""
    return {k: v for k, v in record.body.items() if k not in IMAGE_FIELDS}


def bill(records: Iterable[Record]) -> dict[str, Any]:
    """Every accepted request and the totals, in USD."""
    rows = [bill_row(record) for record in records]
    billed = [row for row in rows if row["billed"]]
    return {
        "requests": rows,
        "totals": {
            "requests": len(rows),
            "billed": len(billed),
            "unbilled": len(rows) - len(billed),
            "cost": round(sum(row["cost"] for row in billed), 6),
        },
    }
