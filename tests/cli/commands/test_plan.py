import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relightflow.cli import main
from relightflow.ledger import reader
from tests.cli.program import Relightflow, environment

from .conftest import Write


def test_a_plan_tells_jobs_and_price(relightflow: Relightflow, write: Write) -> None:
    write(backend="segmind")
    done = relightflow("plan", "spring.yaml")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "spring: 2 jobs to make, 0.10 USD"
    assert "cap      none; a paid run needs one: --max-cost USD" in done.stdout


def test_a_plan_creates_nothing(relightflow: Relightflow, write: Write, tmp_path: Path) -> None:
    write()
    relightflow("plan", "spring.yaml", "--jobs")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shoe.png", "spring.yaml"]


def test_the_ledger_is_held_against_its_history_once(
    relightflow: Relightflow, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write()
    relightflow("run", "spring.yaml")
    looks: list[object] = []

    def agrees(db: object) -> bool:
        looks.append(db)
        return True

    monkeypatch.setattr(reader, "agrees", agrees)
    assert main(["plan", str(recipe)]) == 0
    assert len(looks) == 1, "whoever reads the state is handed what is open"


def test_the_cap_in_force_and_whether_it_suffices(relightflow: Relightflow, write: Write) -> None:
    write(backend="segmind", more="limits: {max_cost: 3}\n")
    done = relightflow(
        "plan", "spring.yaml", "--max-cost", "2", env={"RELIGHTFLOW_MAX_COST": "0.05"}
    )
    assert "cap      0.05 USD (RELIGHTFLOW_MAX_COST); 2.00 USD (--max-cost)" in done.stdout


def test_work_to_do_is_told_by_the_exit_code(relightflow: Relightflow, write: Write) -> None:
    write()
    assert relightflow("plan", "spring.yaml").returncode == 0
    assert relightflow("plan", "spring.yaml", "--exit-code").returncode == 3
    relightflow("run", "spring.yaml")
    assert relightflow("plan", "spring.yaml", "--exit-code").returncode == 0


def test_the_table_has_a_line_a_job(relightflow: Relightflow, write: Write) -> None:
    write()
    lines = relightflow("plan", "spring.yaml", "--jobs").stdout.splitlines()
    lines = [line.replace(line.split()[0], "KEY") for line in lines[-3:]]
    assert [line.split()[1:] for line in lines[-3:]] == [
        ["light_direction", "action", "image", "file"],
        ["left", "make", "shoe.png", "shoe-KEY.*", "(new)"],
        ["right", "make", "shoe.png", "shoe-KEY.*", "(new)"],
    ]


def test_a_selection_makes_the_plan_smaller(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("plan", "spring.yaml", "--only", "light_direction=left", "--json")
    assert json.loads(done.stdout)["jobs"] == 1


def test_any_recipe_can_be_previewed_for_free(relightflow: Relightflow, write: Write) -> None:
    write(backend="segmind")
    found = json.loads(relightflow("plan", "spring.yaml", "--backend", "preview", "--json").stdout)
    assert (found["backend"], found["price_usd"]) == ("preview", {"low": 0.0, "high": 0.0})


def test_a_plan_for_programs_is_one_document_with_its_jobs(
    relightflow: Relightflow, write: Write
) -> None:
    write()
    found = json.loads(relightflow("plan", "spring.yaml", "--json", "--jobs").stdout)
    assert [row["parameters"]["light_direction"] for row in found["outputs"]] == ["left", "right"]


def test_a_name_from_the_disk_cannot_touch_the_terminal(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    os.rename(tmp_path / "shoe.png", tmp_path / "\x1b[31mred\u202e.png")
    said = relightflow("plan", "spring.yaml", "--jobs").stdout
    assert "\x1b" not in said
    assert "\\x1b[31mred\\u202e.png" in said


def test_a_reader_that_leaves_ends_it_quietly(write: Write, tmp_path: Path) -> None:
    write()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "relightflow", "plan", "spring.yaml", "--jobs"],
        cwd=tmp_path, env=environment(), stdout=writing, stderr=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_image_is_told_plainly(relightflow: Relightflow, write: Write, tmp_path: Path) -> None:
    write()
    (tmp_path / "shoe.png").unlink()
    done = relightflow("plan", "spring.yaml", "--exit-code")
    assert done.returncode == 0
    assert done.stdout.startswith("spring: no image found; nothing to make\n")


def test_a_bad_amount_in_the_environment_is_named(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("plan", "spring.yaml", env={"RELIGHTFLOW_MAX_COST": "five"})
    assert done.returncode == 2
    assert "RELIGHTFLOW_MAX_COST: 'five' is not an amount in USD" in done.stderr
