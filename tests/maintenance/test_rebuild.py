"""A ledger that is lost and made anew: nothing is bought again, nothing is forgotten."""

from __future__ import annotations

import json

from relightflow.ledger.reader import open_reader
from relightflow.maintenance.rebuild import rebuild
from relightflow.maintenance.resolve import decide
from relightflow.model.maintenance import Decision
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Call
from relightflow.run.opening import open_state
from tests.conftest import Stage
from tests.scripted_backend import PRICE


def lose_the_ledger(stage: Stage) -> None:
    for path in stage.state_dir.root.glob("ledger.sqlite3*"):
        path.unlink()


def test_an_image_that_was_bought_again_on_its_owner_s_word_comes_back_with_both_bills(
    stage: Stage,
) -> None:
    def script(call: Call, number: int) -> Step | None:
        if number:
            return None
        return Completed(b"no image", PRICE, stage.provider.charge(call.job.key))

    stage.provider.on_submit = script
    stage.run()
    with open_state(stage.state_dir, "the test") as state:
        decide(stage.state_dir, state.ledger, Decision.RESUBMIT, PRICE)
    stage.run()
    with open_reader(stage.state_dir.ledger) as reader:
        before = reader.money()
    lose_the_ledger(stage)
    assert rebuild(stage.state_dir).stored == 1
    with open_reader(stage.state_dir.ledger) as reader:
        assert reader.money() == before
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 2


def test_a_flipped_bit_in_the_index_costs_no_other_image(stage: Stage) -> None:
    """Every seventh byte of one line in turn, another bit each time."""
    stage.recipe([0, 1])
    stage.run()
    index = stage.state_dir.blobs / "index.jsonl"
    whole = index.read_bytes()
    end = whole.index(b"\n")
    for place in range(0, end, 7):
        index.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 7]) + whole[place + 1 :]
        )
        lose_the_ledger(stage)
        assert rebuild(stage.state_dir).stored >= 1


def test_a_damaged_line_of_the_index_is_passed_over_and_counted(stage: Stage) -> None:
    stage.run()
    index = stage.state_dir.blobs / "index.jsonl"
    label = json.loads(index.read_text().splitlines()[0])
    broken = (
        {"event": "INTEND"}, {"event": ["INTENT"]}, {"price": "much"}, {"parameters": 3},
        {"repeat": True}, {"price": 1 << 70}, {"at": "noon"}, {"billed": "perhaps"},
    )  # fmt: skip
    lines = [{**label, "key": "another", **wrong} for wrong in broken]
    lines += [{"key": "another"}, {"key": "another", "event": "INTENT", "backend": "studio"}]
    index.write_text(index.read_text() + "".join(json.dumps(line) + "\n" for line in lines))
    lose_the_ledger(stage)
    found = rebuild(stage.state_dir)
    assert (found.stored, found.nonsense) == (1, len(lines))


def test_the_plan_file_that_was_applied_is_still_named(stage: Stage) -> None:
    stage.run(plan_sha256="5" * 64)
    before = (stage.out / "manifest.jsonl").read_bytes()
    assert b'"plan":"5555' in before
    lose_the_ledger(stage)
    rebuild(stage.state_dir)
    stage.run()
    assert (stage.out / "manifest.jsonl").read_bytes() == before
