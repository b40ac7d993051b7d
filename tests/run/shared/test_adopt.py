"""Two machines with disks of their own and one store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from relightflow import api
from relightflow.errors import Exit
from relightflow.ledger.reader import open_reader
from relightflow.maintenance.rebuild import rebuild
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.marker import MARKER
from tests.conftest import Stage
from tests.scripted_backend import PRICE, fails

SHADES = [0, 1, 2]


def _manifest(stage: Stage) -> bytes:
    return (stage.out / "manifest.jsonl").read_bytes()


def test_what_one_machine_bought_the_other_does_not_buy(machines: list[Stage]) -> None:
    one, two = machines
    assert one.run().exit is Exit.OK
    summary = two.run()
    assert summary.exit is Exit.OK
    assert (len(one.provider.bill), two.provider.submits) == (3, [])
    assert two.images() == one.images()
    assert _manifest(two) == _manifest(one)


def test_what_another_machine_bought_is_not_spent_here(machines: list[Stage]) -> None:
    one, two = machines
    one.run()
    summary = two.run()
    assert summary.money.spent == 0
    with open_reader(two.state_dir.ledger) as reader:
        assert reader.money().spent == 0
    assert {attempt.cost for attempt in two.attempts()} == {PRICE}
    assert {attempt.billed for attempt in two.attempts()} == {Billed.NO}


def test_what_is_adopted_needs_no_room_under_the_cap(machines: list[Stage]) -> None:
    one, two = machines
    one.run()
    assert two.run(cap=0).exit is Exit.OK


def test_a_call_in_the_air_is_collected_by_the_other(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    one.provider.mode = two.provider.mode = "v2"

    def lost(_: object, __: int) -> None:
        raise fails(FailureKind.ACCOUNT)

    one.provider.on_collect = lost
    one.run()
    assert one.states() == [State.ACCEPTED] * 3
    shutil.rmtree(one.folder)
    summary = two.run_in_no_time(monkeypatch)
    assert summary.exit is Exit.OK
    assert two.provider.submits == []
    assert summary.money.spent == 3 * PRICE
    assert len(two.images()) == 3


def test_a_doubt_whose_claim_names_another_jobs_request_stays_a_doubt(
    machines: list[Stage], tmp_path: Path
) -> None:
    one, _ = machines
    one.provider.mode = "v2"
    one.recipe(shades=[0])
    one.run()
    [own] = one.attempts()

    def lost(_: object, __: int) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    one.provider.on_submit = lost
    one.recipe(shades=[0, 1])
    one.run()
    [claim] = (tmp_path / "store/inflight").glob("*")
    told = json.loads(claim.read_text())
    claim.write_text(json.dumps({**told, "event": "ACCEPTED", "request_id": own.request_id}))
    assert one.run().exit is Exit.UNKNOWN
    assert one.states() == [State.DONE, State.UNKNOWN]


def test_a_call_that_failed_is_no_longer_in_the_air(machines: list[Stage], tmp_path: Path) -> None:
    one, _ = machines
    one.provider.mode = "v2"

    def failed(_: object, __: int) -> None:
        raise fails(FailureKind.JOB_FAILED)

    one.provider.on_collect = failed
    one.run()
    assert not list((tmp_path / "store/inflight").glob("*"))


@pytest.mark.parametrize("damage", ["flip", "cut", "lose", "no image", "entry", "other job"])
def test_damaged_bytes_are_neither_adopted_nor_bought_again(
    machines: list[Stage], tmp_path: Path, damage: str
) -> None:
    one, two = machines
    one.run()
    for blob in (tmp_path / "store/blobs").rglob("*"):
        if blob.is_file():
            data = blob.read_bytes()
            if damage == "lose":
                blob.unlink()
            elif damage not in ("entry", "other job"):
                changed = {"flip": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1]}
                blob.write_bytes(changed.get(damage, b"no image"))
    entries = sorted((tmp_path / "store/jobs").rglob("*.json"))
    if damage in ("entry", "other job"):
        for entry in entries:
            entry.write_bytes(b"{" if damage == "entry" else entries[0].read_bytes())
    left = 2 if damage == "other job" else 3
    assert api.plan_status(two.plan(), two.state_dir, two.operator).held_failed == left * (
        damage in ("entry", "other job")
    )
    assert two.run().exit is Exit.DAMAGED
    assert two.provider.bill == []
    said = [outcome.failure.message for outcome in two.outcomes if outcome.failure]
    assert len(said) == left
    assert all("delete that object to buy the job again" in message for message in said)
    for entry in entries:
        entry.unlink()
    assert two.run().exit is Exit.OK


def test_a_store_that_cannot_be_asked_stops_buying(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    one.operator = OperatorPolicy(store="s3://some-bucket/")
    summary = one.run()
    assert summary.exit is Exit.EARLY
    assert one.provider.submits == []
    assert any("--store-mode off" in issue.message for issue in summary.issues)


def test_what_is_free_is_made_again_and_the_store_is_left_alone(
    machines: list[Stage], tmp_path: Path
) -> None:
    one, _ = machines
    one.recipe(shades=SHADES, model="gift")
    one.run()
    assert [path.name for path in (tmp_path / "store").rglob("*.*")] == [MARKER]


def test_a_ledger_made_anew_still_counts_nothing_as_spent(machines: list[Stage]) -> None:
    one, two = machines
    one.run()
    two.run()
    two.state_dir.ledger.unlink()
    assert rebuild(two.state_dir).stored == 3
    with open_reader(two.state_dir.ledger) as reader:
        assert reader.money().spent == 0


def test_a_store_that_is_gone_leaves_jobs_that_nobody_has_billed(machines: list[Stage]) -> None:
    one, _ = machines
    one.recipe(SHADES, concurrency=1)

    def gone(_: object, number: int) -> None:
        if number == 1:
            (Path(one.operator.store.removeprefix("file://")) / MARKER).unlink()

    one.provider.on_submit = gone
    assert one.run().exit is Exit.STORAGE
    assert len(one.provider.bill) == 2
    left = [outcome.failure.billed for outcome in one.outcomes if outcome.failure]
    assert left == [Billed.NO]
