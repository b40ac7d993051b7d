import json
from pathlib import Path
from typing import Any

from tests.cli.program import Relightflow

from .conftest import Rehearsal, Write

LEFT, RIGHT = {"light_direction": "left"}, {"light_direction": "right"}


def picks(folder: Path, *cells: dict[str, str], **facts: Any) -> Path:
    path = folder / "picks.json"
    listed = [{"image_name": "shoe.png", "cell": cell, **facts} for cell in cells]
    path.write_text(json.dumps({"kind": "picks", "version": 1, "picks": listed}))
    return path


def test_a_run_with_picks_buys_exactly_those(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind")
    picks(tmp_path, RIGHT)
    plan = relightflow("plan", "spring.yaml", "--picks", "picks.json", "--json")
    assert json.loads(plan.stdout)["price_usd"] == {"low": 0.05, "high": 0.05}
    arguments = ("run", "spring.yaml", "--picks", "picks.json", "--max-cost", "1")
    done = relightflow(*arguments, env=rehearsal.env)
    assert done.returncode == 0, done.stderr
    assert len(rehearsal.bill()) == 1
    relightflow(*arguments, env=rehearsal.env)
    assert len(rehearsal.bill()) == 1, "and never again"


def test_a_pick_that_fits_nothing_stops_before_anything_is_sent(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind")
    picks(tmp_path, RIGHT, {"light_direction": "up"})
    done = relightflow(
        "run", "spring.yaml", "--picks", "picks.json", "--max-cost", "1", env=rehearsal.env
    )
    assert done.returncode == 2
    assert "picks.json: picks[1]: no cell light_direction=up" in done.stderr
    assert rehearsal.bill() == []


def test_equal_picks_of_all_images_become_an_include(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    recipe = write()
    picks(tmp_path, RIGHT)
    before = recipe.read_text()
    tried = relightflow("pick", "picks.json", "--into", "spring.yaml", "--dry-run")
    assert "+    - {light_direction: right}" in tried.stdout
    assert recipe.read_text() == before
    done = relightflow("pick", "picks.json", "--into", "spring.yaml")
    assert done.returncode == 0, done.stderr
    assert "all images have the same picks: one cell, as matrix.include" in done.stderr
    plan = json.loads(relightflow("plan", "spring.yaml", "--json").stdout)
    assert plan["jobs"] == 1
    again = relightflow("pick", "picks.json", "--into", "spring.yaml")
    assert "nothing to change" in again.stderr


def test_different_picks_become_a_reference_to_the_file(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    recipe = write()
    (tmp_path / "other.png").write_bytes((tmp_path / "shoe.png").read_bytes() + b" ")
    picks(tmp_path, RIGHT)
    done = relightflow("pick", "picks.json", "--into", "spring.yaml")
    assert "the images have different picks: `picks: picks.json`" in done.stderr
    assert "picks: picks.json\n" in recipe.read_text()
    assert json.loads(relightflow("plan", "spring.yaml", "--json").stdout)["jobs"] == 1


def test_a_picks_file_outside_the_recipes_project_is_refused(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    inner = tmp_path / "inner"
    inner.mkdir()
    for name in ("spring.yaml", "shoe.png"):
        (tmp_path / name).rename(inner / name)
    (inner / "other.png").write_bytes((inner / "shoe.png").read_bytes() + b" ")
    picks(tmp_path, RIGHT)
    done = relightflow("pick", "picks.json", "--into", "inner/spring.yaml")
    assert done.returncode == 9
    assert "picks.json leads out of the recipe's folder" in done.stderr
    (tmp_path / ".git").mkdir()
    done = relightflow("pick", "picks.json", "--into", "inner/spring.yaml")
    assert done.returncode == 0, done.stderr
    assert 'picks: "../picks.json"\n' in (inner / "spring.yaml").read_text()


def sha256_of(folder: Path) -> str:
    import hashlib

    return hashlib.sha256((folder / "shoe.png").read_bytes()).hexdigest()


def test_the_images_of_picks_are_delivered_and_what_is_edited_is_kept(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml", "--only", "light_direction=left")
    picks(tmp_path, LEFT, RIGHT, image_sha256=sha256_of(tmp_path))
    some = relightflow("pick", "picks.json", "--deliver", "final")
    assert some.returncode == 1
    assert "1 image written, 1 not made yet" in some.stderr + some.stdout
    relightflow("run", "spring.yaml")
    done = relightflow("pick", "picks.json", "--deliver", "final", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] == ["shoe-left.png"]
    assert sorted(p.name for p in (tmp_path / "final").iterdir()) == [
        "shoe-left.png", "shoe-right.png"
    ]  # fmt: skip
    (tmp_path / "final/shoe-left.png").write_bytes(b"mine")
    kept = relightflow("pick", "picks.json", "--deliver", "final")
    assert kept.returncode == 1
    assert (tmp_path / "final/shoe-left.png").read_bytes() == b"mine"
    assert relightflow("pick", "picks.json", "--deliver", "final", "--overwrite").returncode == 0


def test_of_two_backends_the_paid_result_is_delivered(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write()
    picks(tmp_path, LEFT, image_sha256=sha256_of(tmp_path))
    relightflow("run", "spring.yaml")
    relightflow(
        "run", "spring.yaml", "--picks", "picks.json", "--backend", "segmind", "--max-cost", "1",
        env=rehearsal.env,
    )  # fmt: skip
    relightflow("pick", "picks.json", "--deliver", "paid")
    relightflow("pick", "picks.json", "--deliver", "free", "--backend", "preview")
    paid, free = (next((tmp_path / name).iterdir()).read_bytes() for name in ("paid", "free"))
    assert paid != free


def test_it_says_what_it_can_do(relightflow: Relightflow, tmp_path: Path) -> None:
    picks(tmp_path, LEFT)
    done = relightflow("pick", "picks.json")
    assert done.returncode == 2
    assert "--into RECIPE or --deliver DIR" in done.stderr
