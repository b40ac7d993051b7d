"""What may go and what must stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relightflow.errors import Exit, UsageError
from relightflow.maintenance import gc
from relightflow.maintenance.rebuild import rebuild
from relightflow.maintenance.verify import verify
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.maintenance import Garbage
from relightflow.objects.bucket import opened as bucket_at
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.opening import open_state
from relightflow.store.shared import SharedStore
from tests.conftest import Stage, make_store
from tests.scripted_backend import PRICE, fails


def _collect(
    stage: Stage,
    wanted: gc.Retained,
    keep_runs: int = 50,
    delete: bool = True,
    paid: bool = True,
) -> Garbage:
    with open_state(stage.state_dir, "the test") as state:
        found = gc.find_garbage(stage.state_dir, wanted, keep_runs, paid)
        if delete:
            gc.delete(stage.state_dir, state.ledger, state.blobs, found)
    return found


@pytest.fixture
def narrowed(stage: Stage) -> Stage:
    """Three results, of which the recipe wants one by now."""
    stage.recipe(shades=[0, 1, 2])
    stage.run()
    stage.recipe(shades=[0])
    return stage


def test_with_nothing_named_every_finished_result_is_kept(narrowed: Stage) -> None:
    found = _collect(narrowed, gc.retained([], []))
    assert (found.finished, found.blobs) == ((), ())


def test_what_a_recipe_needs_stays_and_the_rest_has_its_price(narrowed: Stage) -> None:
    found = _collect(narrowed, gc.retained([narrowed.plan()], []))
    assert (len(found.blobs), found.price) == (2, 2 * PRICE)
    assert narrowed.run().counts.reused == 1
    assert len(narrowed.provider.bill) == 3


def test_a_dry_run_touches_nothing(narrowed: Stage) -> None:
    _collect(narrowed, gc.retained([narrowed.plan()], []), delete=False)
    narrowed.recipe(shades=[0, 1, 2])
    assert narrowed.run().counts.reused == 3


def test_what_a_manifest_names_stays(narrowed: Stage) -> None:
    manifest = narrowed.out / "manifest.jsonl"
    assert not _collect(narrowed, gc.retained([narrowed.plan()], [manifest])).blobs


@pytest.mark.parametrize("text", ["{", "[" * 200_000])
def test_a_file_that_is_no_manifest_is_refused_in_our_words(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(text)
    with pytest.raises(UsageError, match=r"is not a manifest: a line of it is not JSON$"):
        gc.retained([], [tmp_path / "m.jsonl"])


def test_what_was_taken_away_is_bought_again_only_where_it_is_wanted(narrowed: Stage) -> None:
    _collect(narrowed, gc.retained([narrowed.plan()], []))
    narrowed.recipe(shades=[0, 1, 2])
    assert narrowed.run().exit is Exit.OK
    assert len(narrowed.provider.bill) == 5


def test_a_ledger_made_anew_knows_what_was_taken_away(narrowed: Stage) -> None:
    _collect(narrowed, gc.retained([narrowed.plan()], []))
    narrowed.state_dir.ledger.unlink()
    found = rebuild(narrowed.state_dir)
    assert (found.stored, found.lost) == (1, 0)


def test_what_is_open_or_in_doubt_is_never_touched(narrowed: Stage) -> None:
    def unknown(_: object, __: int) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    narrowed.provider.on_submit = unknown
    narrowed.recipe(shades=[0, 7])
    narrowed.run()
    narrowed.recipe(shades=[0])
    _collect(narrowed, gc.retained([narrowed.plan()], []))
    assert narrowed.states().count(State.UNKNOWN) == 1


def test_bytes_that_no_job_has_go(narrowed: Stage) -> None:
    stray = narrowed.state_dir.blobs / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"left by a crash")
    assert _collect(narrowed, gc.retained([], [])).blobs == ("ab" * 32,)
    assert not stray.exists()


def test_old_runs_go_and_the_last_ones_stay(narrowed: Stage) -> None:
    narrowed.run()
    found = _collect(narrowed, gc.retained([], []), keep_runs=1)
    assert len(found.runs) == 1
    assert len(list(narrowed.state_dir.runs.iterdir())) == 1


def test_an_image_that_cannot_be_read_stops_it(narrowed: Stage) -> None:
    (narrowed.folder / "in/bad.png").write_bytes(b"no image")
    with pytest.raises(UsageError, match=r"bad\.png"):
        gc.retained([narrowed.plan()], [])


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"record": "output"}'])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"manifest\.jsonl"):
        gc.retained([], [path])


@pytest.fixture
def remote(stage: Stage, tmp_path: Path) -> SharedStore:
    """A shared store with three results, of which the recipe wants one by now."""
    url = make_store(f"file://{tmp_path}/store")
    stage.operator = OperatorPolicy(store=url)
    stage.recipe(shades=[0, 1, 2])
    stage.run()
    stage.recipe(shades=[0])
    return SharedStore(bucket_at(url, files=True))


def test_the_shared_store_keeps_what_is_named(stage: Stage, remote: SharedStore) -> None:
    wanted = gc.retained([stage.plan()], [])
    assert gc.find_shared_garbage(remote, wanted) == ()
    assert len(gc.find_shared_garbage(remote, wanted, paid=True)) == 2
    later = datetime.now(UTC) + timedelta(days=2)
    assert len(gc.find_shared_garbage(remote, wanted, later, paid=True)) == 4
    assert gc.find_shared_garbage(remote, gc.retained([], []), later, paid=True) == ()


def test_every_damaged_job_of_the_shared_store_is_found(stage: Stage, remote: SharedStore) -> None:
    assert verify(stage.state_dir, (), remote).shared == 3
    first, second, _ = (facts.path for facts in remote.bucket.list("blobs"))
    data = remote.bucket.get(first)
    remote.bucket.put(first, bytes([data[0] ^ 1]) + data[1:])
    remote.bucket.delete([second])
    found = verify(stage.state_dir, (), remote)
    assert (len(found.shared_damaged), found.exit) == (2, Exit.DAMAGED)


def test_what_cost_money_stays_unless_it_is_asked_for(narrowed: Stage) -> None:
    found = _collect(narrowed, gc.retained([narrowed.plan()], []), paid=False)
    assert (found.finished, found.blobs) == ((), ())
    assert (len(found.kept_paid), found.kept_price) == (2, 2 * PRICE)
    narrowed.recipe(shades=[0, 1, 2])
    assert narrowed.run().counts.reused == 3


def test_bytes_that_nobody_can_name_may_have_been_paid_for(narrowed: Stage) -> None:
    stray = narrowed.state_dir.blobs / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of an index that is lost")
    _collect(narrowed, gc.retained([narrowed.plan()], []), paid=False)
    assert stray.exists()
    _collect(narrowed, gc.retained([narrowed.plan()], []))
    assert not stray.exists()
