"""What an emulator made is marked, stands apart, and never counts as bought."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands.conftest import Rehearsal, Write
from tests.cli.program import Relightflow, environment


@pytest.fixture
def stand_in(rehearsal: Rehearsal) -> dict[str, str]:
    """What a user types to rehearse, and nothing more."""
    return {n: v for n, v in rehearsal.env.items() if n != "RELIGHTFLOW_REHEARSAL"}


def document(relightflow: Relightflow, *command: str, env: Mapping[str, str] | None = None) -> Any:
    done = relightflow(*command, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def head(folder: Path) -> Any:
    return json.loads((folder / "manifest.jsonl").read_text().splitlines()[0])


def test_a_rehearsed_result_never_counts_as_bought(
    write: Write,
    rehearsal: Rehearsal,
    stand_in: dict[str, str],
    relightflow: Relightflow,
    tmp_path: Path,
) -> None:
    write(backend="segmind")
    run = ("run", "spring.yaml", "--max-cost", "1")
    assert document(relightflow, *run, env=stand_in)["rehearsed"]
    assert head(tmp_path / "out/rehearsal")["rehearsed"] is True
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["rehearsal"]

    plan = document(relightflow, "plan", "spring.yaml", "--max-cost", "1")
    assert (plan["new"], plan["done"], plan["committed_usd"], plan["rehearsed"]) == (2, 0, 0, False)
    status = document(relightflow, "status")
    assert (status["spent_usd"], status["rehearsal"]) == (0, False)

    bought = document(relightflow, *run, env=rehearsal.env)  # in earnest, from the "provider"
    assert (bought["calls"], bought["counts"]["made"], bought["rehearsed"]) == (2, 2, False)
    assert "rehearsed" not in head(tmp_path / "out")
    assert head(tmp_path / "out/rehearsal")["rehearsed"] is True


def test_a_rehearsal_has_a_state_of_its_own_in_which_all_is_as_in_earnest(
    write: Write, stand_in: dict[str, str], relightflow: Relightflow, tmp_path: Path
) -> None:
    write(backend="segmind")
    done = relightflow("run", "spring.yaml", "--max-cost", "0.05", env=stand_in)
    assert done.returncode == 7  # the cap holds as it will hold
    assert "0.05 USD rehearsed" in done.stdout
    assert "nothing counts as bought" in done.stdout
    again = relightflow("run", "spring.yaml", "--max-cost", "0.10", env=stand_in)
    assert "2 of 2 jobs in place (1 made, 1 reused)" in again.stdout
    plan = document(relightflow, "plan", "spring.yaml", env=stand_in)
    assert (plan["done"], plan["rehearsed"]) == (2, True)
    status = document(relightflow, "status", env=stand_in)
    assert (status["rehearsal"], status["spent_usd"]) == (True, 0.1)
    shown = relightflow("status", env=stand_in).stdout
    assert "rehearsal: a stand-in takes the provider's place" in shown
    assert "rehearsed  0.10 USD" in shown
    assert sorted(p.name for p in (tmp_path / ".relightflow").iterdir()) == [
        ".gitignore", "rehearsal",
    ]  # fmt: skip


def test_a_named_state_keeps_rehearsals_apart_too(
    write: Write, stand_in: dict[str, str], relightflow: Relightflow, tmp_path: Path
) -> None:
    write(backend="segmind")
    done = relightflow("run", "spring.yaml", "--state", "s", "--max-cost", "1", env=stand_in)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s/rehearsal/ledger.sqlite3").is_file()
    assert document(relightflow, "plan", "spring.yaml", "--state", "s")["new"] == 2


def test_a_rehearsed_manifest_holds_no_purchase_back(
    write: Write, rehearsal: Rehearsal, stand_in: dict[str, str], relightflow: Relightflow
) -> None:
    write(backend="segmind")
    run = ("run", "spring.yaml", "--max-cost", "1")
    there = ("--set", "sinks[0].path=out/")
    assert relightflow(*run, *there, env=stand_in).returncode == 0
    bought = relightflow(*run, "--overwrite", env=rehearsal.env)
    assert bought.returncode == 0, bought.stderr
    assert "2 of 2 jobs in place" in bought.stdout


def test_a_rehearsal_leaves_the_shared_store_alone(
    write: Write, stand_in: dict[str, str], relightflow: Relightflow, tmp_path: Path
) -> None:
    write(backend="segmind")
    (tmp_path / "shared").mkdir()
    store = ("--store", (tmp_path / "shared").as_uri())
    done = relightflow("run", "spring.yaml", "--max-cost", "1", *store, env=stand_in)
    assert done.returncode == 0, done.stderr
    assert "a rehearsal neither uses nor fills the shared store" in done.stderr
    assert not list((tmp_path / "shared").iterdir())


def test_a_free_backend_is_never_a_rehearsal(
    write: Write, stand_in: dict[str, str], relightflow: Relightflow, tmp_path: Path
) -> None:
    write()
    assert not document(relightflow, "run", "spring.yaml", env=stand_in)["rehearsed"]
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_an_unclear_word_about_rehearsals_sends_nothing(
    write: Write, stand_in: dict[str, str], relightflow: Relightflow
) -> None:
    write(backend="segmind")
    env = {**stand_in, "RELIGHTFLOW_REHEARSAL": "maybe"}
    done = relightflow("run", "spring.yaml", "--max-cost", "1", env=env)
    assert done.returncode == 2
    assert "RELIGHTFLOW_REHEARSAL must be yes or no" in done.stderr


def test_drafts_of_another_backend_leave_the_results_alone(
    write: Write, rehearsal: Rehearsal, relightflow: Relightflow, tmp_path: Path
) -> None:
    write(backend="segmind")
    bought = relightflow("run", "spring.yaml", "--max-cost", "1", env=rehearsal.env)
    assert bought.returncode == 0, bought.stderr
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    done = relightflow("run", "spring.yaml", "--backend", "preview")
    assert done.returncode == 0, done.stderr
    assert "images    out/preview" in done.stdout
    assert head(tmp_path / "out/preview")["backend"] == "preview"
    after = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()}
    assert after == before
    again = relightflow("run", "spring.yaml", "--max-cost", "1", env=rehearsal.env)
    assert (again.returncode, "all reused" in again.stdout) == (0, True)
    assert relightflow("verify", "spring.yaml").returncode == 0


def test_drafts_never_become_inputs_of_their_recipe(
    write: Write, relightflow: Relightflow, tmp_path: Path
) -> None:
    recipe = write(backend="segmind")
    wide = recipe.read_text().replace('"*.png"', '"**/*.png"').replace("out/", "results/out")
    recipe.write_text(wide)
    (tmp_path / "results/out").mkdir(parents=True)
    (tmp_path / "results/out/old.png").write_bytes((tmp_path / "shoe.png").read_bytes())
    for _ in range(2):
        plan = document(relightflow, "plan", "spring.yaml", "--backend", "preview")
        assert plan["images"] == 1
        assert relightflow("run", "spring.yaml", "--backend", "preview").returncode == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", "1 image is uploaded to Segmind, to a public address that cannot be revoked"),
        (", delivery: inline", "1 image is sent to Segmind inside each request"),
    ],
)
def test_a_plan_says_what_leaves_the_machine(
    more: str, words: str, write: Write, relightflow: Relightflow
) -> None:
    recipe = write(backend=f"segmind{more}")
    assert words in relightflow("plan", recipe.name).stdout
    (told,) = document(relightflow, "plan", recipe.name)["sends"]
    assert told.startswith(words)
    assert not document(relightflow, "plan", recipe.name, "--backend", "preview")["sends"]


def test_the_question_before_a_purchase_says_what_becomes_public(
    write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "relightflow", "run", "spring.yaml"],
        cwd=tmp_path, env=environment({**rehearsal.env, "TERM": "dumb"}),
        stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 4096)
    os.write(ours, b"n\n")
    assert child.wait(timeout=30) == 7
    os.close(ours)
    text = " ".join(said.decode().split())
    public = text.index("uploaded to Segmind, to a public address that cannot be revoked")
    assert public < text.index("buy 2 jobs for 0.10 USD?")
    assert rehearsal.bill() == []


def test_images_that_a_provider_could_not_fetch_are_refused_before_anything_is_sent(
    write: Write, relightflow: Relightflow
) -> None:
    recipe = write(backend="segmind, delivery: presign")
    for command in ("validate", "plan"):
        done = relightflow(command, recipe.name)
        assert done.returncode == 2
        assert "sources[0]: 'glob' has no image that a provider can fetch" in done.stderr
