"""The manifest's records: what was made from what, without anything that differs between two runs.

JSON Lines; schemas/manifest-record.schema.json describes each line. No clock times, no durations,
no paths of this machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as _text
from typing import Any

from relightflow.core.redact import known
from relightflow.ledger.rows import JobState
from relightflow.model.attempt import State
from relightflow.model.check import CheckResult
from relightflow.model.failure import Billed
from relightflow.model.image import Image, Rejected
from relightflow.model.job import Output
from relightflow.model.money import usd
from relightflow.model.output_format import Copy
from relightflow.model.plan import Plan
from relightflow.model.values import Parameters, plain

FORMAT = 1
STATUSES = ("done", "failed", "unknown", "pending", "missing")
_STATUS = {
    State.STORED: "done",
    State.DONE: "done",
    State.FAILED: "failed",
    State.UNKNOWN: "unknown",
    State.READY: "missing",
}


def status_of(job_state: JobState | None) -> str:
    """One of STATUSES; `pending` is accepted or paid and not fetched yet."""
    return _STATUS.get(job_state.state, "pending") if job_state else "missing"


def head(plan: Plan, counts: Counter[str]) -> dict[str, Any]:
    """The first record: which recipe, which backend, how many of each status."""
    recipe = plan.recipe
    return {
        "record": "recipe",
        "format": FORMAT,
        "recipe": {"name": recipe.name, "sha256": recipe.sha256},
        "backend": recipe.backend_names if recipe.more_backends else recipe.backend.type,
        "model": recipe.model_names,
        **({"backends": recipe.backend_facts} if recipe.more_backends else {}),
        **({"rehearsed": True} if recipe.rehearsed else {}),
        "counts": {
            "images": len(plan.images),
            "rejected": len(plan.rejected),
            "cells": len(plan.cells),
            "outputs": plan.outputs_count,
            "jobs": plan.jobs_count,
            **{status: counts[status] for status in STATUSES},
        },
    }


def record(
    output: Output,
    job_state: JobState | None,
    path: str | None,
    copy: Copy | None = None,
    checks: Sequence[CheckResult] = (),
) -> dict[str, Any]:
    """One output, JSON but for frozen mappings. `path`: relative to the sink; None where no sink has a file of it.
    `copy`: what is there, where it is not the image itself. `checks`: what they say of the result."""
    job, image = output.job, output.image
    facts: dict[str, Any] = {
        "record": "output",
        "index": output.index,
        "job": job.id,
        "key": job.key,
        "source": _source(image),
        "cell": output.cell,
        "parameters": job.parameters,
        "repeat": output.repeat,
        "status": status_of(job_state),
    }
    if output.instead_of is not None:
        facts |= {"retry": job.repeat, "instead_of": output.instead_of.key}
    if job_state is None:
        return facts
    if result := job_state.result:
        if path is not None:
            facts["path"] = path
        facts["sha256"] = result.sha256
        facts["size"] = result.size
        facts["width"] = result.width
        facts["height"] = result.height
        facts["media_type"] = result.media_type
        if copy is not None:
            facts["delivered"] = copy.facts()
        facts["cost"] = usd(result.cost)
        if checks:
            facts["checks"] = [_check(found) for found in checks]
    elif job_state.reason:
        billed = str(job_state.billed)
        facts["error"] = {
            "kind": str(job_state.kind),
            "message": job_state.reason,
            "billed": billed,
        }
    if job_state.request_id:
        facts["request_id"] = job_state.request_id
    if job_state.plan and job_state.billed is not Billed.NO:
        facts["plan"] = job_state.plan
    return facts


def _source(image: Image) -> dict[str, Any]:
    return {"name": image.name, "sha256": image.sha256, "size": image.size}


def _check(found: CheckResult) -> dict[str, Any]:
    """A verdict; what it does not have is left out."""
    facts = {
        "name": found.name,
        "verdict": str(found.verdict),
        "severity": found.severity,
        "value": found.value,
        "bound": found.bound,
        "unit": found.unit or None,
        "message": found.message or None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


_RECORD = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=plain)


def line(facts: dict[str, Any]) -> str:
    """A record as it stands in the file, without any secret that is known here."""
    text = _RECORD.encode(facts)
    return (known(text) if "error" in facts else text) + "\n"  # nobody else's words but these


class OutputLines:
    """Writes `line(record(…))` for one output after the other, several times as fast: what neighbours share is
    encoded once, and what most outputs are, a result without verdicts, needs no record."""

    _MOST = 20_000
    """Cells whose text is kept, as many as a plan keeps itself."""

    def __init__(self) -> None:
        self._image: Image | None = None
        self._source = ""
        self._cells: dict[int, tuple[Parameters, Parameters, str]] = {}
        """By identity: the cell, what is sent for it, their text."""

    def line(
        self,
        output: Output,
        job_state: JobState | None,
        path: str | None,
        copy: Copy | None = None,
        checks: Sequence[CheckResult] = (),
    ) -> str:
        """The output's line; arguments as those of `record`."""
        result = job_state.result if job_state else None
        if job_state is None or result is None or checks or output.instead_of is not None:
            return line(record(output, job_state, path, copy, checks))
        job = output.job
        place = "" if path is None else f',"path":{_text(path)}'
        delivered = "" if copy is None else f',"delivered":{_RECORD.encode(copy.facts())}'
        request = job_state.request_id and f',"request_id":{_text(job_state.request_id)}'
        plan = ""
        if job_state.plan and job_state.billed is not Billed.NO:
            plan = f',"plan":{_text(job_state.plan)}'
        return (
            f'{{"record":"output","index":{output.index},"job":"{job.id}","key":"{job.key}",'
            f'"source":{self._source_of(output.image)},{self._cell_of(output)},'
            f'"repeat":{job.repeat},"status":"{status_of(job_state)}"{place},'
            f'"sha256":{_text(result.sha256)},"size":{result.size},"width":{result.width},'
            f'"height":{result.height},"media_type":{_text(result.media_type)}{delivered},'
            f'"cost":{usd(result.cost)!r}{request}{plan}}}\n'
        )

    def _source_of(self, image: Image) -> str:
        if image is not self._image:
            self._image, self._source = image, _RECORD.encode(_source(image))
        return self._source

    def _cell_of(self, output: Output) -> str:
        cell, parameters = output.cell, output.job.parameters
        kept = self._cells.get(id(cell))
        if kept and kept[0] is cell and kept[1] is parameters:
            return kept[2]
        text = f'"cell":{_RECORD.encode(cell)},"parameters":{_RECORD.encode(parameters)}'
        if len(self._cells) >= self._MOST:
            self._cells.clear()
        self._cells[id(cell)] = (cell, parameters, text)
        return text


def rejected(item: Rejected) -> dict[str, Any]:
    """An image that could not be used."""
    return {"record": "rejected", "source": {"name": item.name}, "error": item.reason}
