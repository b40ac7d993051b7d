"""One result at one sink: written once, ours until somebody edits it, and a fault costs itself alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from relightflow.deliver.target import DeliveryResult, SinkTarget, deliver_many, open_targets
from relightflow.errors import InvalidRecipe, RefusedError
from relightflow.images import probe
from relightflow.images.metadata import Metadata
from relightflow.ledger.rows import Delivered
from relightflow.model.catalog import FREE, Model
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import OutputFormat
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import OperatorPolicy, SinkContext
from relightflow.plugins.sink import WriteReceipt
from relightflow.sinks.directory import Directory
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job
from tests.conftest import Stage

DATA = sample_image_bytes()
IMAGE = sample_image(DATA)
MODEL = Model("m", (), FREE)
OUTPUT = Output(0, sample_job(IMAGE, "b", MODEL, {}), IMAGE, FrozenMap())
RESULT = Result(sha256(DATA).hexdigest(), len(DATA), 48, 32, "image/png")


@pytest.fixture
def target(tmp_path: Path) -> SinkTarget:
    sink = Directory(SinkContext(tmp_path, FrozenMap({"path": "out"}), recipe="r"))
    return SinkTarget(sink, "directory", "files", None, "r", FrozenMap())


class Bytes:
    """Material: these bytes for every result, and images that say nothing of themselves."""

    def __init__(self, data: bytes = DATA) -> None:
        self._data = data

    def read(self, _: Result) -> bytes:
        return self._data

    def metadata(self, output: Output, everything: bool) -> Metadata:
        raise AssertionError(f"nothing is asked of {output.image.name}, everything: {everything}")


def deliver(
    target: SinkTarget,
    known: Delivered | None = None,
    overwrite: bool = False,
    result: Result = RESULT,
    data: bytes = DATA,
) -> DeliveryResult:
    rows = {"a.png": known} if known else {}
    items = [("a.png", OUTPUT, result)]
    (found,) = deliver_many(target, items, rows, Bytes(data), overwrite)
    assert isinstance(found, DeliveryResult), found
    return found


def test_a_file_is_written_once_and_remembered(target: SinkTarget, tmp_path: Path) -> None:
    first = deliver(target)
    assert (first.written, first.edited, first.copy) == (True, False, None)
    assert (tmp_path / "out/a.png").read_bytes() == DATA
    assert deliver(target, first.row) == DeliveryResult("a.png"), "nothing new is known"


def test_equal_bytes_of_an_unknown_writer_are_no_edit_and_count_as_nothing_new(
    target: SinkTarget, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.png").write_bytes(DATA)
    found = deliver(target)
    assert (found.written, found.edited, found.row is not None) == (False, False, True)


def test_somebodys_work_is_kept_until_the_operator_says_otherwise(
    target: SinkTarget, tmp_path: Path
) -> None:
    row = deliver(target).row
    (tmp_path / "out/a.png").write_bytes(b"painted over")
    kept = deliver(target, row)
    assert (kept.edited, kept.written, kept.row) == (True, False, None)
    assert (tmp_path / "out/a.png").read_bytes() == b"painted over"
    assert deliver(target, row, overwrite=True).written
    assert (tmp_path / "out/a.png").read_bytes() == DATA


def test_our_own_file_gives_way_to_another_result(target: SinkTarget, tmp_path: Path) -> None:
    row = deliver(target).row
    other = sample_image_bytes(1)
    newer = replace(RESULT, sha256=sha256(other).hexdigest(), size=len(other))
    found = deliver(target, row, result=newer, data=other)
    assert (found.written, found.edited) == (True, False)
    assert (tmp_path / "out/a.png").read_bytes() == other


def test_a_copy_is_told_as_one_and_not_made_again(target: SinkTarget, tmp_path: Path) -> None:
    copying = replace(target, form=OutputFormat("image/webp"))
    first = deliver(copying)
    assert first.copy is not None
    assert probe((tmp_path / "out/a.png").read_bytes()).media_type == "image/webp"
    again = deliver(copying, first.row, data=b"no image: it is not read")
    assert (again.row, again.copy) == (None, first.copy)


def test_what_no_copy_can_be_made_of_is_the_sinks_fault_in_words(target: SinkTarget) -> None:
    copying = replace(target, form=OutputFormat("image/webp"))
    (found,) = deliver_many(copying, [("a.png", OUTPUT, RESULT)], {}, Bytes(b"GIF89a"), False)
    assert isinstance(found, Exception)
    assert "no copy in another format could be made" in str(found)


@dataclass
class Slow:
    """A sink that wants several images at a time, and counts them."""

    width: int = 4
    location: str = "/slow"
    now: int = 0
    most: int = 0
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(4, timeout=20))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, *_: object) -> Any:
        return "missing"

    def write(self, path: str, data: bytes, _: str) -> WriteReceipt:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.together.wait()
        with self.lock:
            self.now -= 1
        if path == "2":
            raise ZeroDivisionError("a bug of the sink")
        return WriteReceipt(RESULT.sha256, len(data), path)


def test_a_sink_is_handed_as_many_at_a_time_as_it_wants_and_answers_come_in_order() -> None:
    sink: Any = Slow()
    target = SinkTarget(sink, "slow", "files", None, "r", FrozenMap())
    items = [(str(n), OUTPUT, RESULT) for n in range(8)]
    found = list(deliver_many(target, items, {}, Bytes(), False))
    assert sink.most == 4
    assert [type(one).__name__ for one in found] == [
        "ZeroDivisionError" if n == 2 else "DeliveryResult" for n in range(8)
    ]
    assert [one.path for one in found if isinstance(one, DeliveryResult)] == list("0134567")


def test_two_sinks_on_one_place_are_refused_with_the_line(stage: Stage) -> None:
    stage.recipe(
        sinks=[{"type": "directory", "path": "out"}, {"type": "directory", "path": "out/"}]
    )
    recipe = stage.plan().recipe
    with pytest.raises(InvalidRecipe, match=r"sinks\[1\]: writes to the same place as sinks\[0\]"):
        open_targets(recipe, stage.registry, OperatorPolicy())


@pytest.mark.parametrize("inside", ["", "/jobs"])
def test_no_sink_writes_into_the_shared_store(stage: Stage, inside: str) -> None:
    stage.recipe(sinks=[{"type": "directory", "path": f"out{inside}"}])
    recipe = stage.plan().recipe
    store = f"file://{stage.folder}/out"
    with pytest.raises(RefusedError, match="it is in the shared store"):
        open_targets(recipe, stage.registry, OperatorPolicy(store=store))
    assert open_targets(recipe, stage.registry, OperatorPolicy(store=f"{store}-2"))
