"""Merging is money: nothing is bought twice or lost by it, and merging twice changes nothing."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from relightflow.deliver.run_folder import MANIFEST
from relightflow.errors import Exit, RefusedError
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.plan import Shard
from relightflow.model.step import Completed, Step
from relightflow.store.blobs import INDEX
from relightflow.store.state_dir import StateDir
from tests.conftest import Program, Stage
from tests.scripted_backend import PRICE, fails, png
from tests.shards import attempts_in, change, deliver, plan_of, run_shard, state_of, unite

SHADES = list(range(12))


@pytest.fixture
def sharded(stage: Stage) -> Stage:
    """Two images, one of them under two names, in twelve shades."""
    stage.image("b.png")
    stage.image("copy.png", seed="a.png")
    stage.recipe(SHADES, concurrency=24)
    return stage


def all_shards(stage: Stage, count: int, **options: Any) -> None:
    for number in range(1, count + 1):
        run_shard(stage, number, count, **options)


def snapshot(stage: Stage) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(stage.out.iterdir())}


def money(state_dir: StateDir) -> int:
    with open_reader(state_dir.ledger) as reader:
        return reader.money().spent


@pytest.mark.parametrize("count", [1, 2, 7])
def test_shards_give_the_same_bytes_as_one_run(sharded: Stage, count: int) -> None:
    sharded.run()
    expected, billed = snapshot(sharded), sorted(sharded.provider.bill)
    shutil.rmtree(sharded.out)
    shutil.rmtree(sharded.state_dir.root)
    sharded.provider.bill.clear()
    all_shards(sharded, count)
    merged = unite(sharded)
    assert merged.exit is Exit.OK
    assert deliver(sharded).exit is Exit.OK
    assert snapshot(sharded) == expected
    assert MANIFEST in expected
    assert sorted(sharded.provider.bill) == billed
    assert money(sharded.state_dir) == 24 * PRICE


def test_a_run_after_the_merge_buys_nothing(sharded: Stage) -> None:
    all_shards(sharded, 3)
    unite(sharded)
    bought = len(sharded.provider.bill)
    assert sharded.run().counts.reused == 24
    assert len(sharded.provider.bill) == bought


def test_merging_twice_changes_nothing(sharded: Stage) -> None:
    all_shards(sharded, 3)
    unite(sharded)
    deliver(sharded)
    before = attempts_in(sharded.state_dir), snapshot(sharded)
    index = (sharded.state_dir.blobs / INDEX).read_bytes()
    merged = unite(sharded)
    deliver(sharded)
    assert not merged.added
    assert (attempts_in(sharded.state_dir), snapshot(sharded)) == before
    assert (sharded.state_dir.blobs / INDEX).read_bytes() == index


def test_the_shards_own_states_stay_as_they_are(sharded: Stage) -> None:
    all_shards(sharded, 2)
    before = [attempts_in(state_of(sharded, number)) for number in (1, 2)]
    unite(sharded)
    assert [attempts_in(state_of(sharded, number)) for number in (1, 2)] == before


def test_shards_may_be_merged_one_after_the_other(sharded: Stage) -> None:
    all_shards(sharded, 3)
    for number in (3, 1, 2):
        merged = unite(sharded, [state_of(sharded, number).root])
        assert merged.exit is Exit.EARLY
        assert len(merged.missing) == 2
    assert deliver(sharded).exit is Exit.OK


def test_a_missing_shard_is_named_and_the_others_are_delivered(sharded: Stage) -> None:
    all_shards(sharded, 3)
    shutil.rmtree(state_of(sharded, 2).root)
    merged = unite(sharded)
    assert merged.missing == (Shard(2, 3),)
    assert merged.exit is Exit.EARLY
    found = deliver(sharded)
    assert found.exit is Exit.EARLY
    assert 0 < found.counts.reused < 24
    assert found.counts.not_started


def test_the_merged_state_ends_as_the_worst_shard_did(sharded: Stage) -> None:
    run_shard(sharded, 1, 2)
    run_shard(sharded, 2, 2, cap=PRICE)
    merged = unite(sharded)
    assert merged.exit is Exit.BUDGET
    assert {shard.number: code for shard, _, code in merged.shards} == {1: Exit.OK, 2: Exit.BUDGET}


def test_the_last_run_of_a_shard_counts(sharded: Stage) -> None:
    run_shard(sharded, 1, 2)
    assert run_shard(sharded, 2, 2, stop_after=0.0).exit is Exit.EARLY
    assert unite(sharded).exit is Exit.EARLY
    run_shard(sharded, 2, 2)
    assert unite(sharded).exit is Exit.OK


def test_a_shard_that_was_killed_before_it_began_is_no_success(sharded: Stage) -> None:
    """Its state is a copy of one whose last run ended well."""
    sharded.run()
    sharded.recipe([*SHADES, 99])
    for number in (1, 2):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
        run_shard(sharded, number, 2)
    ledger = state_of(sharded, 2).ledger
    with closing(sqlite3.connect(ledger)) as db, db:
        db.execute("UPDATE run SET exit_code = NULL WHERE rowid = (SELECT max(rowid) FROM run)")
    assert unite(sharded).exit is Exit.EARLY


def test_failures_of_every_kind_are_in_the_manifest_as_in_one_run(sharded: Stage) -> None:
    def on_submit(call: Any, _: int) -> Step | None:
        shade = call.job.parameters["shade"]
        if shade == 3:
            raise fails(FailureKind.JOB_FAILED)
        if shade == 5:
            return Completed(b"no image", PRICE, f"{call.job.key}-request")
        return None

    sharded.provider.on_submit = on_submit
    assert sharded.run().exit is Exit.JOBS_FAILED
    expected = snapshot(sharded)
    shutil.rmtree(sharded.out)
    shutil.rmtree(sharded.state_dir.root)
    all_shards(sharded, 3)
    assert unite(sharded).exit is Exit.JOBS_FAILED
    assert deliver(sharded).exit is Exit.JOBS_FAILED
    assert snapshot(sharded) == expected
    before = attempts_in(sharded.state_dir)
    unite(sharded)
    assert attempts_in(sharded.state_dir) == before


def refuse(_: object, __: int) -> Step:
    """Calls stay accepted, and the run stops."""
    raise fails(FailureKind.ACCOUNT)


def lose(call: Any, _: int) -> Step | None:
    if call.job.parameters["shade"] == 3:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)
    return None


def test_unknown_outcomes_travel_with_the_ledger(sharded: Stage) -> None:
    sharded.provider.on_submit = lose
    all_shards(sharded, 3)
    assert unite(sharded).exit is Exit.UNKNOWN
    sharded.provider.on_submit = lambda _, __: None
    bought = len(sharded.provider.bill)
    found = sharded.run()
    assert (found.exit, found.counts.unknown) == (Exit.UNKNOWN, 2)
    assert found.money.unknown == 2 * PRICE
    assert len(sharded.provider.bill) == bought


def test_calls_under_way_are_collected_after_the_merge(sharded: Stage) -> None:
    sharded.provider.mode = "v2"
    sharded.provider.on_collect = refuse
    found = run_shard(sharded, 1, 1)
    assert found.counts.pending
    merged = unite(sharded)
    assert merged.added.calls == 24
    sharded.provider.on_collect = lambda _, __: None
    bought = len(sharded.provider.bill)
    delivered = deliver(sharded)
    assert delivered.counts.made == 24
    assert len(sharded.provider.bill) == bought


def again(stage: Stage, number: int, count: int) -> StateDir:
    """The same shard a second time, with a state of its own: what its first one bought got lost."""
    other = StateDir(stage.folder / f"shard-{number}-again")
    run_shard(stage, number, count, other, buy_again=True)
    return other


def test_a_job_that_was_bought_twice_is_told_and_both_calls_are_kept(sharded: Stage) -> None:
    all_shards(sharded, 2)
    first = Counter(sharded.provider.bill)
    rename_requests(again(sharded, 1, 2))
    twice = [key for key, calls in Counter(sharded.provider.bill).items() if calls > 1]
    for added in (len(twice), 0):  # and so it stays
        merged = unite(sharded)
        assert (merged.added.repeated, merged.added.ended) == (added, 0)
        assert merged.exit is Exit.JOBS_FAILED
        assert sorted(one.job_key for one in merged.double) == sorted(twice)
        assert {(one.calls, one.price) for one in merged.double} == {(2, 2 * PRICE)}
        assert money(sharded.state_dir) == (len(first) + len(twice)) * PRICE
        assert deliver(sharded).counts.reused == 24


def rename_requests(state_dir: StateDir) -> None:
    """As another call of the provider would be called."""
    with change(state_dir) as db:
        db.execute("UPDATE attempt SET request_id = request_id || '-2' WHERE request_id <> ''")


def test_one_purchase_that_two_states_know_is_no_double_one(sharded: Stage) -> None:
    """A copy of a state is not another purchase."""
    all_shards(sharded, 2)
    shutil.copytree(state_of(sharded, 1).root, sharded.folder / "shard-copy")
    merged = unite(sharded)
    assert not merged.double
    assert merged.exit is Exit.OK
    assert money(sharded.state_dir) == 24 * PRICE


def test_an_image_is_kept_where_the_merged_state_had_a_doubt(sharded: Stage) -> None:
    """Both calls may have been billed; the job has its image, and nobody buys it a third time."""
    sharded.provider.on_submit = lose
    sharded.run()
    sharded.provider.on_submit = lambda _, __: None
    all_shards(sharded, 2, buy_again=True)
    merged = unite(sharded)
    assert len(merged.double) == 2
    found = deliver(sharded)
    assert (found.counts.unknown, found.counts.reused) == (0, 24)
    assert found.money.unknown == 2 * PRICE  # it goes on counting
    bought = len(sharded.provider.bill)
    assert sharded.run().exit is Exit.OK
    assert len(sharded.provider.bill) == bought
    assert len(unite(sharded).double) == 2


def test_an_image_is_kept_where_the_merged_state_had_a_call_under_way(sharded: Stage) -> None:
    sharded.provider.mode = "v2"

    sharded.provider.on_collect = refuse
    sharded.run()
    rename_requests(sharded.state_dir)
    sharded.provider.mode = "instant"
    sharded.provider.on_collect = lambda _, __: None
    all_shards(sharded, 1)
    assert unite(sharded).double
    collected = len(sharded.provider.collects)
    assert deliver(sharded).counts.reused == 24
    assert len(sharded.provider.collects) == collected


def test_a_doubt_comes_in_beside_an_image(sharded: Stage) -> None:
    sharded.run()
    sharded.provider.on_submit = lose
    all_shards(sharded, 2, buy_again=True)
    for number in (1, 2):
        rename_requests(state_of(sharded, number))
    merged = unite(sharded)
    assert len(merged.double) == 24
    found = deliver(sharded)
    assert (found.counts.unknown, found.counts.reused) == (0, 24)
    assert found.money.unknown == 2 * PRICE


def test_shards_begin_with_what_earlier_runs_bought(sharded: Stage) -> None:
    sharded.recipe(SHADES[:6])
    sharded.run()
    sharded.recipe(SHADES)
    for number in (1, 2, 3):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
    all_shards(sharded, 3)
    assert Counter(sharded.provider.bill).most_common(1)[0][1] == 1
    merged = unite(sharded)
    assert merged.exit is Exit.OK
    assert merged.added.results == 12
    assert deliver(sharded).counts.reused == 24


def test_a_fresh_state_takes_over_what_the_shards_began_with(sharded: Stage) -> None:
    """Where the state that they were copied from is gone, nothing of it is lost, older plans included."""
    sharded.recipe([100, 101])
    sharded.run()
    sharded.recipe(SHADES)
    for number in (1, 2):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
    shutil.rmtree(sharded.state_dir.root)
    all_shards(sharded, 2)
    assert unite(sharded).exit is Exit.OK
    assert money(sharded.state_dir) == (24 + 4) * PRICE
    sharded.recipe([100, 101])
    bought = len(sharded.provider.bill)
    sharded.run()
    assert len(sharded.provider.bill) == bought


def test_what_a_shard_decided_about_an_older_doubt_counts(sharded: Stage) -> None:
    sharded.provider.on_submit = lose
    sharded.run()
    sharded.recipe(SHADES, on_unknown="resubmit")
    for number in (1, 2):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
    sharded.provider.on_submit = lambda _, __: None
    all_shards(sharded, 2)
    merged = unite(sharded)
    assert not merged.double  # the operator allowed it
    found = deliver(sharded)
    assert (found.exit, found.counts.unknown) == (Exit.OK, 0)


def test_attempts_without_a_name_are_not_taken_over_twice(sharded: Stage) -> None:
    """Those of relightflow 0.1.0 have none."""
    sharded.recipe(SHADES[:4])
    sharded.run()
    with change(sharded.state_dir) as db:
        db.execute("UPDATE attempt SET uuid = ''")
    for number in (1, 2):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
    sharded.recipe(SHADES)
    all_shards(sharded, 2)
    for _ in range(2):
        assert unite(sharded).exit is Exit.OK
        assert len(attempts_in(sharded.state_dir)) == 24
    shutil.rmtree(sharded.state_dir.root)
    for _ in range(2):
        assert unite(sharded).exit is Exit.OK
        assert len(attempts_in(sharded.state_dir)) == 24
    assert deliver(sharded).counts.reused == 24


@pytest.mark.parametrize("point", ["blob-written", "blob-durable", "before-commit", "after-commit"])
def test_a_merge_that_is_killed_loses_nothing(sharded: Stage, program: Program, point: str) -> None:
    """With SIGKILL, again and again, until it comes through."""
    sharded.provider.on_submit = lose
    all_shards(sharded, 2)
    command = ["merge", "recipe.yaml", "--from", "shard-1", "--from", "shard-2"]
    killed = 0
    for reached in (1, 2, 3):
        code, said = program.call(*command, crash=f"{point}:{reached}")
        killed += code == -signal.SIGKILL
    assert killed
    code, said = program.call(*command)
    assert code == Exit.UNKNOWN, said
    assert "more than once" not in said
    assert len(attempts_in(sharded.state_dir)) == 24
    assert len(snapshot(sharded)) == 34
    bought = len(sharded.provider.bill)
    sharded.provider.on_submit = lambda _, __: None
    assert sharded.run().counts.unknown == 2
    assert len(sharded.provider.bill) == bought


def test_a_result_whose_bytes_are_gone_is_fetched_again_and_never_bought(sharded: Stage) -> None:
    sharded.provider.mode = "v2"
    all_shards(sharded, 2)
    blobs = sorted(state_of(sharded, 1).blobs.glob("??/*"))
    blobs[0].write_bytes(b"another artifact's bytes")
    blobs[1].unlink()
    blobs[2].write_bytes(png("a stranger's"))
    blobs[3].unlink()
    blobs[3].symlink_to("/etc/passwd")
    assert unite(sharded).exit is Exit.OK
    bought = len(sharded.provider.bill)
    assert deliver(sharded).exit is Exit.OK
    assert len(sharded.provider.bill) == bought
    assert len(snapshot(sharded)) == 37


def test_a_blob_that_is_no_image_is_not_delivered(sharded: Stage) -> None:
    """Its hash fits, and the ledger names it; only it is no image."""
    sharded.provider.mode = "v2"
    all_shards(sharded, 1)
    state_dir = state_of(sharded, 1)
    page = b"<html>" * 100
    sha256 = hashlib.sha256(page).hexdigest()
    (state_dir.blobs / sha256[:2]).mkdir(exist_ok=True)
    (state_dir.blobs / sha256[:2] / sha256).write_bytes(page)
    with change(state_dir) as db:
        db.execute("UPDATE attempt SET blob = ?, size = ? WHERE id = 1", (sha256, len(page)))
    unite(sharded)
    assert not (sharded.state_dir.blobs / sha256[:2] / sha256).exists()


def test_a_backends_notes_and_paths_of_another_machine_stay_behind(sharded: Stage) -> None:
    all_shards(sharded, 1)
    with change(state_of(sharded, 1)) as db:
        db.execute("INSERT INTO memory VALUES ('studio', 'upload:x', 'https://stranger/x.png')")
        db.execute("INSERT INTO delivery VALUES ('directory:/etc', 'passwd', 'x', 'x', 1, 'x')")
        db.execute("UPDATE run SET file = '/home/stranger/recipe.yaml'")
    unite(sharded)
    with closing(sqlite3.connect(sharded.state_dir.ledger)) as db:
        assert db.execute("SELECT count(*) FROM memory").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
        assert not db.execute("SELECT 1 FROM run WHERE file LIKE '%stranger%'").fetchone()


def test_the_lowest_price_of_a_call_is_kept_for_the_caps(sharded: Stage) -> None:
    all_shards(sharded, 1)
    with change(state_of(sharded, 1)) as db:
        db.execute("UPDATE attempt SET floor = 7, cost = 7")
    unite(sharded)
    with open_reader(sharded.state_dir.ledger) as reader:
        assert {charge.counted for charge in reader.charges()} == {7}


def test_a_merge_into_a_shards_state_is_refused(sharded: Stage) -> None:
    all_shards(sharded, 2)
    sharded.state_dir = state_of(sharded, 1)
    with pytest.raises(RefusedError, match="itself that of a shard"):
        unite(sharded, [state_of(sharded, 2).root])


def test_several_states_keep_what_each_knows_most_of(sharded: Stage) -> None:
    """Every shard collects what was under way when it began; one may have come further."""
    sharded.provider.mode = "v2"

    sharded.provider.on_collect = refuse
    sharded.run()
    for number in (1, 2):
        shutil.copytree(sharded.state_dir.root, state_of(sharded, number).root)
    run_shard(sharded, 1, 2)
    sharded.provider.on_collect = lambda _, __: None
    run_shard(sharded, 2, 2)
    merged = unite(sharded)
    assert not merged.double
    states = {attempt.state for attempt in attempts_in(sharded.state_dir)}
    assert states == {State.STORED}
    assert plan_of(sharded, sharded.state_dir, None).jobs_count == 24
