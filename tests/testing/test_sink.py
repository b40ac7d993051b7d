"""The sink kit sees what a careless sink does wrong."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, Sink, WriteReceipt
from relightflow.testing import check_sink

SERIAL = itertools.count()
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"path": {"type": "string"}},
}


@dataclass
class Plain:
    """A small sink that is right, until a subclass spoils one thing."""

    context: SinkContext
    turns: int = 0

    @property
    def root(self) -> Path:
        return self.context.folder / str(self.context.options["path"])

    @property
    def location(self) -> str:
        return str(self.root)

    def target(self, path: str) -> Path:
        target = self.root / path
        if "\0" in path or not target.resolve().is_relative_to(self.root.resolve()):
            raise OSError(f"refused {path!r}")
        return target

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        try:
            data = self.target(path).read_bytes()
        except FileNotFoundError:
            return FileState.MISSING
        return FileState.SAME if hashlib.sha256(data).hexdigest() == sha256 else FileState.EDITED

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        target = self.target(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.put(target, data)
        return WriteReceipt(hashlib.sha256(data).hexdigest(), len(data), "mark")

    def put(self, target: Path, data: bytes) -> None:
        part = target.with_name(f"{target.name}.{next(SERIAL)}.part")
        part.write_bytes(data)
        part.replace(target)

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        return (Artifact("index", self.write("index", self.index(run), "text/plain")),)

    def index(self, run: FinishedRun) -> bytes:
        return "\n".join(r.sha256 for _, r in run.outputs() if r).encode()

    def close(self) -> None:
        self.turns = -1


class TrustsStamps(Plain):
    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        if known and known.sha256 == sha256:
            return FileState.SAME
        return super().check(path, known, sha256)


class NeedsStamps(Plain):
    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return super().check(path, known, sha256) if known else FileState.MISSING


class FalseStamp(Plain):
    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        return replace(super().write(path, data, media_type), size=1)


class Escapes(Plain):
    def target(self, path: str) -> Path:
        if "\0" in path or path.startswith("/") or path == "..":
            raise OSError(path)
        return self.root / path


class Stumbles(Plain):
    def target(self, path: str) -> Path:
        if "\0" in path:
            raise ValueError("embedded null byte")
        return super().target(path)


class Forgets(Plain):
    """Unlinks first and writes then: for a moment there is nothing."""

    def put(self, target: Path, data: bytes) -> None:
        target.unlink(missing_ok=True)
        if target.name == "shared.png":
            return
        super().put(target, data)


class SharesPart(Plain):
    """Two threads write one path under one temporary name."""

    def put(self, target: Path, data: bytes) -> None:
        if target.name == "shared.png" and next(SERIAL) % 3 == 0:
            raise FileNotFoundError(f"{target}.part")
        super().put(target, data)


class CountsRuns(Plain):
    def index(self, run: FinishedRun) -> bytes:
        runs = self.root / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        (runs / str(len(list(runs.iterdir())))).write_bytes(b"")
        return super().index(run) + str(len(list(runs.iterdir()))).encode()


class Moves(Plain):
    @property
    def location(self) -> str:
        return f"{self.root}/{id(self)}"


def record(sink: type[Plain]) -> SinkRecord:
    def create(context: SinkContext) -> Sink:
        return sink(context)

    return SinkRecord("plain", "For tests", create, SCHEMA)


def test_a_sound_sink_passes(tmp_path: Path) -> None:
    check_sink(record(Plain), tmp_path, {"path": "out"})


@pytest.mark.parametrize(
    ("sink", "words"),
    [
        (TrustsStamps, "somebody replaced it|somebody edited it"),
        (NeedsStamps, "its receipt was lost"),
        (FalseStamp, "a false receipt"),
        (Escapes, "outside of the sink's place"),
        (Stumbles, "say it with SinkFailed"),
        (Forgets, "it was not there"),
        (SharesPart, "under a new name of its own"),
        (CountsRuns, "finalizing twice"),
        (Moves, "not always the same"),
    ],
)
def test_a_careless_sink_is_told_what_it_does_wrong(
    tmp_path: Path, sink: type[Plain], words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        check_sink(record(sink), tmp_path, {"path": "out"})
