from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.store.marker import MARKER
from tests.cli.program import Relightflow
from tests.conftest import Program, Stage


def test_a_store_is_made_once_and_kept(relightflow: Relightflow, tmp_path: Path) -> None:
    url = (tmp_path / "store").as_uri()
    done = relightflow("store", "init", url, "--pairs", "5")
    assert done.returncode == 0, done.stderr
    assert f"{url}/ is now a shared store" in done.stdout
    assert "claims hold" in done.stdout
    again = json.loads(relightflow("store", "init", url, "--pairs", "5", "--json").stdout)
    made = json.loads((tmp_path / "store" / MARKER).read_text())
    assert again == {
        "kind": "store", "version": 1, "url": f"{url}/", "id": made["id"], "new": False,
        "finished_jobs": 0, "claims_hold": True, "races": 10, "double_winners": 0,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["", "https://example.com/", "file://folder"])
def test_what_is_no_address_is_an_error(relightflow: Relightflow, url: str) -> None:
    done = relightflow("store", "init", url)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "pull"])
def test_a_place_that_is_no_store_ends_with_6_and_says_how_to_make_it_one(
    stage: Stage, program: Program, command: str
) -> None:
    url = (stage.folder / "share").as_uri()
    more = ("--max-cost", "1", "--yes") if command == "run" else ()
    code, said = program.call(command, "recipe.yaml", *more, "--store", url)
    assert code == 6, said
    assert f"relightflow store init {url}/" in said
    assert "Traceback" not in said
    assert program.billed() == []
    assert not (stage.folder / "share").exists()
