"""Picks put into a folder: whose result, under which name, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.errors import RefusedError, UsageError
from relightflow.maintenance.picks import Delivery, deliver, into_recipe, relative
from relightflow.model.picks import REJECT, Pick, Picks
from relightflow.model.values import FrozenMap
from tests.conftest import Stage


def picks(*chosen: Pick, texts: bool = False) -> Picks:
    return Picks("picks.json", "0" * 64, chosen, texts)


def shade(stage: Stage, value: int, name: str = "a.png", repeat: int = 0) -> Pick:
    sha256 = stage.plan().images[0].sha256
    return Pick(FrozenMap({"shade": value}), name, sha256, repeat)


def put(stage: Stage, *chosen: Pick, overwrite: bool = False) -> Delivery:
    folder = stage.folder / "best"
    return deliver(picks(*chosen), stage.state_dir, stage.registry, folder, overwrite=overwrite)


@pytest.fixture
def done(stage: Stage) -> Stage:
    stage.recipe([0, 1], repeat=2)
    stage.run()
    return stage


def test_each_pick_gets_a_file_named_by_image_values_and_repeat(done: Stage) -> None:
    found = put(done, shade(done, 0), shade(done, 1, repeat=1))
    assert found.written == ("a-0.png", "a-1-2.png")
    assert sorted(path.name for path in (done.folder / "best").iterdir()) == list(found.written)
    assert put(done, shade(done, 0)).same == ("a-0.png",)


def test_what_was_not_made_is_told_and_what_was_rejected_is_not_asked_for(done: Stage) -> None:
    rejected = Pick(FrozenMap({"shade": 0}), "a.png", "1" * 64, verdict=REJECT)
    found = put(done, shade(done, 7), rejected)
    assert (found.missing, found.written) == (("a.png: shade=7",), ())


def test_two_picks_with_one_name_are_two_files(done: Stage) -> None:
    one = shade(done, 0, name="x/A.png")
    other = shade(done, 0, name="y/a.png", repeat=1)
    same = Pick(FrozenMap({"shade": 0}), "z/a.png", one.image_sha256)
    found = put(done, one, same, other)
    assert len({name.casefold() for name in found.written}) == 3
    assert found.written[1].startswith("a-0-")


def test_a_hostile_name_stays_in_the_folder(done: Stage) -> None:
    found = put(done, shade(done, 0, name="../../..\\evil\n.png"))
    (name,) = found.written
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert (done.folder / "best" / name).is_file()


def test_somebodys_work_is_kept_until_it_is_to_be_replaced(done: Stage) -> None:
    put(done, shade(done, 0))
    (done.folder / "best/a-0.png").write_text("mine")
    assert put(done, shade(done, 0)).edited == ("a-0.png",)
    assert (done.folder / "best/a-0.png").read_text() == "mine"
    assert put(done, shade(done, 0), overwrite=True).written == ("a-0.png",)


def test_texts_of_values_do_not_name_a_result(done: Stage) -> None:
    with pytest.raises(UsageError, match=r"deliver from picks\.json"):
        deliver(picks(texts=True), done.state_dir, done.registry, done.folder / "best")


@pytest.mark.parametrize(
    ("chosen", "how"),
    [
        ([(0, 0), (0, 1)], "all images have the same picks: one cell, as matrix.include"),
        ([(0, 0)], "not every repeat is picked: `picks: p.json`"),
    ],
)
def test_whole_cells_become_an_include_and_parts_a_reference(
    done: Stage, chosen: list[tuple[int, int]], how: str
) -> None:
    old = done.path.read_text()
    some = picks(*(shade(done, value, repeat=again) for value, again in chosen))
    edit = into_recipe(some, done.plan(), old, "p.json", done.registry)
    assert (edit.before, edit.how) == (old, how)
    done.path.write_text(edit.after)
    assert edit.after != old


def test_different_picks_of_two_images_stay_in_their_file(done: Stage) -> None:
    done.image("b.png")
    edit = into_recipe(
        picks(shade(done, 0), shade(done, 0, repeat=1)),
        done.plan(), done.path.read_text(), "p.json", done.registry,
    )  # fmt: skip
    assert edit.how == "the images have different picks: `picks: p.json`"


def test_nothing_picked_is_a_mistake(done: Stage) -> None:
    with pytest.raises(UsageError, match="nothing is picked"):
        into_recipe(picks(), done.plan(), done.path.read_text(), "p.json", done.registry)


def test_a_picks_file_is_named_within_the_recipes_project_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "project/.git").mkdir(parents=True)
    recipe = tmp_path / "project/r.yaml"
    assert relative(tmp_path / "project/sub/p.json", recipe) == "sub/p.json"
    with pytest.raises(RefusedError):
        relative(tmp_path / "p.json", recipe)
