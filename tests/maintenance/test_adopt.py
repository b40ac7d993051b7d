"""A clone with its images and its manifest is a state: nothing in it is bought again by itself."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from relightflow import api
from relightflow.errors import RefusedError
from relightflow.ledger.reader import open_reader
from relightflow.maintenance.adopt import Adopted
from relightflow.maintenance.rebuild import rebuild
from relightflow.model.attempt import State
from relightflow.plugins.records import OperatorPolicy
from tests.clones import adopted, clone
from tests.conftest import Stage
from tests.scripted_backend import PRICE
from tests.sinks.samples import RECORDS

__all__ = ["clone"]


def test_adopted_results_count_at_their_price_and_survive_a_lost_ledger(clone: Stage) -> None:
    adopted(clone)
    for _ in range(2):
        with open_reader(clone.state_dir.ledger) as reader:
            assert reader.money().spent == 4 * PRICE
        assert {attempt.details.get("origin") for attempt in clone.attempts()} == {"adopted"}
        clone.state_dir.ledger.unlink()
        rebuild(clone.state_dir)
    assert clone.run().exit == 0
    assert len(clone.provider.bill) == 4


def test_a_file_that_does_not_fit_is_neither_adopted_nor_bought(clone: Stage) -> None:
    first, second, *_ = sorted(clone.out.glob("*.png"))
    first.write_bytes(first.read_bytes() + b" ")
    second.unlink()
    found = adopted(clone)
    assert (found.results, len(found.left)) == (2, 2)
    with pytest.raises(RefusedError):
        clone.run()
    assert len(clone.provider.bill) == 4


def test_what_a_manifest_says_is_checked(clone: Stage) -> None:
    manifest = clone.out / "manifest.jsonl"
    head, *lines = manifest.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    records[0]["path"] = "../../etc/passwd"
    records[1]["cost"] = float("nan")
    records[2]["sha256"] = ["no"]
    manifest.write_text("\n".join([head, *map(json.dumps, records), "[[[", "{"]) + "\n")
    found = adopted(clone)
    assert (found.results, found.price, len(found.left)) == (2, 2 * PRICE, 1)
    assert [attempt.state for attempt in clone.attempts()] == [State.STORED] * 2


def test_a_job_that_was_given_up_here_is_known_here(clone: Stage) -> None:
    """The operator's own decision is no clone's."""
    adopted(clone)
    with open_reader(clone.state_dir.ledger) as reader:
        assert not api.bought_elsewhere(
            clone.plan(), clone.registry, OperatorPolicy(), clone.state_dir
        )
        assert reader.states() == {"STORED": 4}


KEPT = {
    "directory": True, "imagefolder": True, "zip": True, "webdataset": True,
    "csv": False, "gallery": False,
}  # fmt: skip
"""Every sink on this machine that says what it holds; whether its images can be adopted."""


def test_every_sink_but_the_contact_sheet_says_what_it_holds() -> None:
    assert set(RECORDS) - {"s3"} - set(KEPT) == {"contact-sheet"}, "it holds no job's key"


@pytest.mark.parametrize("kind", KEPT)
def test_a_clone_with_any_sink_s_record_buys_nothing(stage: Stage, kind: str) -> None:
    stage.recipe([0, 1, 2, 3], sinks=[{"type": kind, "path": "out/"}])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    for _ in range(2):
        with pytest.raises(RefusedError, match="4 jobs are done according to"):
            stage.run()
    if KEPT[kind]:
        assert adopted(stage) == Adopted(4, 4 * PRICE, ())
        assert stage.run().exit == 0
    else:
        assert (adopted(stage).results, len(adopted(stage).left)) == (0, 4)
    assert len(stage.provider.bill) == 4


@pytest.mark.parametrize(("kind", "file"), [("zip", "*.zip"), ("webdataset", "*.tar")])
def test_an_archive_whose_image_was_changed_gives_no_result_and_no_purchase(
    stage: Stage, kind: str, file: str
) -> None:
    stage.recipe([0, 1], sinks=[{"type": kind, "path": "out/"}])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    [packed] = stage.out.glob(file)
    data = packed.read_bytes()
    at = data.index(b"IDAT") + 8
    packed.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    found = adopted(stage)
    assert (found.results, len(found.left)) == (1, 1)
    with pytest.raises(RefusedError):
        stage.run()
    assert len(stage.provider.bill) == 2


def test_images_without_their_manifest_are_known_by_the_data_set_s_rows(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=[{"type": "imagefolder", "path": "out/"}])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    (stage.out / "manifest.jsonl").unlink()
    with pytest.raises(RefusedError, match="2 jobs are done"):
        stage.run()


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("junk", ["", "cut", "{}\n[]\n", "\x00\xff" * 99])
def test_a_record_that_is_none_says_nothing(stage: Stage, kind: str, junk: str) -> None:
    stage.recipe([0, 1], sinks=[{"type": kind, "path": "out/"}])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    for path in (path for path in stage.out.rglob("*") if path.is_file()):
        cut = path.read_bytes()[: path.stat().st_size // 3]
        path.write_bytes(cut if junk == "cut" else junk.encode("latin-1"))
    found = adopted(stage)
    assert found.results == 0
    assert len(stage.provider.bill) == 2


@pytest.mark.parametrize("sink", ["directory", "zip"])
def test_a_file_with_the_copyright_of_its_input_is_the_result(stage: Stage, sink: str) -> None:
    exif = Image.Exif()
    exif[0x8298] = "(c) Ann"
    path = stage.folder / "in/a.png"
    with Image.open(path) as image:
        image.load()
    image.save(path, exif=exif)
    stage.recipe([0, 1], sinks=[{"type": sink, "path": "out/"}])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    assert adopted(stage) == Adopted(2, 2 * PRICE, ())
    assert stage.run().calls == 0
