from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from relightflow.plugins.records import OperatorPolicy
from relightflow.store.marker import MARKER
from tests.cli.program import Relightflow
from tests.conftest import Program, Stage, make_store


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


def test_who_claims_what_is_listed_and_released_on_a_person_s_word(
    stage: Stage, program: Program
) -> None:
    url = make_store(f"file://{stage.folder}/store")
    stage.operator = OperatorPolicy(store=url)
    assert program.call("store", "claims", url)[1].strip() == "no job is claimed"
    assert program.run("--store", url, crash="after-intent")[0] < 0
    code, said = program.call("store", "claims", url, "--json")
    (found,) = json.loads(said.splitlines()[-1])["claims"]
    assert (code, found["state"], found["price_usd"]) == (0, "INTENT", 0.05)
    assert found["key"][:16] in said
    assert program.call("store", "claims", url, "--release", "0" * 64)[0] == 2
    code, said = program.call("store", "status", url)
    assert (code, "1 job, up to 0.05 USD" in said) == (0, True), said
    code, said = program.call("store", "status", url, "--json")
    (run,) = json.loads(said.splitlines()[-1])["runs"]
    assert (run["calls"], run["claims"], run["run"] != "") == (0, 1, True)
    code, said = program.call("store", "claims", url, "--release", found["key"][:16])
    assert (code, "1 claim released; 0.05 USD counts as spent" in said) == (0, True), said
    shutil.rmtree(stage.state_dir.root)
    assert program.run("--store", url)[0] == 0
    assert len(program.billed()) == 1


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
