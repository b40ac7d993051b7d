"""Finished runs for the sinks that gather, made of the sample run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import FinishedRun, Sink
from relightflow.sinks import builtin
from relightflow.testing.samples import SampleRun

RECORDS: dict[str, SinkRecord] = {record.name: record for record in builtin.relightflow_sinks()}
Told = tuple[Output, Result | None]


def sink(kind: str, folder: Path, **options: Any) -> Sink:
    (folder / "recipe").mkdir(exist_ok=True)
    given = FrozenMap({"path": "out", **options})
    return RECORDS[kind].make(SinkContext(folder / "recipe", given, recipe="sample"))


def sample(folder: Path) -> FinishedRun:
    """Four outputs of one image; the last one has no image."""
    return SampleRun(folder).finished()


def of(run: FinishedRun, outputs: list[Told], **facts: Any) -> FinishedRun:
    """`run` with other outputs, and a record for each that says `facts` too."""

    def records() -> Iterator[dict[str, Any]]:
        yield {"record": "recipe", "format": 1}
        for output, result in outputs:
            status = "done" if result else "failed"
            yield {"record": "output", "index": output.index, "status": status, **facts}
        yield {"record": "rejected", "source": {"name": "broken.png"}, "error": "empty"}

    return replace(run, outputs=lambda: iter(outputs), records=records)


def named(run: FinishedRun, name: str) -> list[Told]:
    """The outputs of `run`, of an image that is called `name`."""
    every = list(run.outputs())
    return [(replace(o, image=replace(o.image, name=name)), result) for o, result in every]
