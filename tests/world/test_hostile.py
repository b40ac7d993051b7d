"""Issue 9, section 7: a folder, a name or an answer that means harm."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.world.behaviour import HTML_200, HTML_500, PROXY_500, Fault
from tests.world.calls import png, png_file
from tests.world.harness import World
from tests.world.provider import spellings

CANARY = "# the user's own\n"


def outside(world: World) -> Path:
    path = world.folder.parent / "profile"
    path.write_text(CANARY)
    return path


def link_index(world: World) -> None:
    (world.state / "blobs/index.jsonl").unlink()
    (world.state / "blobs/index.jsonl").symlink_to(outside(world))


def link_ledger(world: World) -> None:
    path = world.state / "ledger.sqlite3"
    shutil.move(path, world.folder.parent / "ledger")
    path.symlink_to(world.folder.parent / "ledger")


def link_lock(world: World) -> None:
    (world.state / "lock").unlink()
    (world.state / "lock").symlink_to(outside(world))


def link_folder(name: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        target = world.folder.parent / "elsewhere"
        shutil.move(world.state / name, target)
        (world.state / name).symlink_to(target)

    return act


def link_state(world: World) -> None:
    target = world.folder.parent / "elsewhere"
    shutil.move(world.state, target)
    world.state.symlink_to(target)


def track(world: World) -> None:
    world.git("init")
    world.git("add", "-f", ".relightflow")
    world.git("commit", "-m", "from a stranger")


def sql(statement: Callable[[sqlite3.Connection, str], None]) -> Callable[[World], None]:
    """Does this to every table of the ledger."""

    def act(world: World) -> None:
        with sqlite3.connect(world.state / "ledger.sqlite3") as ledger:
            ledger.execute("pragma legacy_alter_table=on")
            ledger.execute("pragma ignore_check_constraints=on")
            query = "select name from sqlite_master where type='table' and name not like 'sqlite%'"
            for (table,) in ledger.execute(query).fetchall():
                statement(ledger, table)
        ledger.close()

    return act


def trigger(ledger: sqlite3.Connection, table: str) -> None:
    ledger.execute(
        f"create trigger t_{table} after insert on {table} begin"
        f" delete from {table} where rowid <> new.rowid; end"
    )


def view(ledger: sqlite3.Connection, table: str) -> None:
    ledger.execute(f"alter table {table} rename to x_{table}")
    ledger.execute(
        f"create view {table} as with recursive n(i) as (select 1 union all select i + 1 from n)"
        f" select x_{table}.* from x_{table}, n"
    )


def negative(ledger: sqlite3.Connection, table: str) -> None:
    for column in _numbers(ledger, table):
        if any(word in column for word in ("cost", "price", "reserved", "usd", "amount")):
            ledger.execute(f"update {table} set {column} = -1000000")


def text(ledger: sqlite3.Connection, table: str) -> None:
    ledger.execute(f"create table loose_{table} as select * from {table}")
    ledger.execute(f"drop table {table}")
    ledger.execute(f"alter table loose_{table} rename to {table}")
    for column in _numbers(ledger, table):
        if any(word in column for word in ("cost", "price", "reserved", "usd", "amount")):
            ledger.execute(f"update {table} set {column} = 'NaN'")


def _numbers(ledger: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in ledger.execute(f"pragma table_info({table})")]


TAMPERED: dict[str, Callable[[World], None]] = {
    "index is a link": link_index,
    "ledger is a link": link_ledger,
    "lock is a link": link_lock,
    "blobs is a link": link_folder("blobs"),
    "runs is a link": link_folder("runs"),
    "state is a link": link_state,
    "tracked by git": track,
    "triggers": sql(trigger),
    "views": sql(view),
    "negative costs": sql(negative),
    "costs in words": sql(text),
}


@pytest.mark.parametrize("act", TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_state_is_refused(world: World, act: Callable[[World], None]) -> None:
    """Nothing is bought, nothing is written elsewhere, and it ends in bounded time."""
    world.recipe(max_cost=0.25)
    world.run()
    act(world)
    world.recipe(images=4, max_cost=0.25)
    said = world.command("run", "recipe.yaml", "--yes", cpu=4)
    assert said.code in (6, 9), world.story()
    assert "Traceback" not in said.text, world.story()
    assert len(world.provider.bill) == 4, world.story()
    profile = world.folder.parent / "profile"
    assert not profile.exists() or profile.read_text() == CANARY


@pytest.mark.parametrize("place", [".git", ".git/hooks", ".relightflow", ".relightflow/blobs"])
def test_a_sink_in_git_or_in_the_state_is_refused(world: World, place: str) -> None:
    world.git("init")
    world.recipe(images=1, sinks=[{"type": "directory", "path": f"{place}/"}])
    said = world.run("--overwrite")
    assert said.code in (2, 9), world.story()
    assert not world.provider.bill


FIXED = {
    "manifest.jsonl": {"type": "directory", "path": "out/"},
    "README.md": {"type": "imagefolder", "path": "out/"},
    "metadata.jsonl": {"type": "imagefolder", "path": "out/"},
    "index.csv": {"type": "csv", "path": "out/"},
    "recipe.zip": {"type": "zip", "path": "out/"},
    "recipe-000000.tar": {"type": "webdataset", "path": "out/"},
    "image-0.jpg": {"type": "contact-sheet", "path": "out/"},
    "image-0.png": {"type": "directory", "path": "out/", "name": "{image.stem}.{ext}"},
}


@pytest.mark.parametrize("name", FIXED)
def test_a_file_of_the_user_is_not_replaced(world: World, name: str) -> None:
    matrix = {"light_direction": "left"}
    sinks = [FIXED[name]]
    world.recipe(images=1, matrix=matrix, sinks=sinks)
    recipe = json.loads((world.folder / "recipe.yaml").read_text())
    recipe["backend"] = {"type": "preview"}
    (world.folder / "recipe.yaml").write_text(json.dumps(recipe))
    world.out.mkdir()
    (world.out / name).write_text(CANARY)
    world.run()
    assert (world.out / name).read_text() == CANARY, world.story()
    world.run("--overwrite")
    assert (world.out / name).read_bytes() != CANARY.encode(), world.story()


@pytest.mark.parametrize("where", ["failure", "submit", "poll", "result"])
@pytest.mark.parametrize("protocol", ["v2", "v1"])
def test_the_key_is_nowhere(world: World, where: str, protocol: str) -> None:
    """Whatever the provider repeats of it: not in what is said, and in no file."""
    behaviour = world.provider.behaviour
    behaviour.protocol = protocol
    behaviour.echo = True
    behaviour.failing = where == "failure"
    if where == "submit":
        behaviour.submit_fault = Fault(PROXY_500, times=2)
    if where == "poll":
        behaviour.poll_fault = Fault(HTML_500, times=2)
    if where == "result":
        behaviour.result_fault = Fault(HTML_200, times=2)
    world.recipe(images=1)
    world.run()
    behaviour.echo = False
    world.command("status", "recipe.yaml")
    said = "".join(command.text for command in world.said).encode()
    files = [path for path in world.folder.parent.rglob("*") if path.is_file()]
    for spelling in (*spellings(world.key), world.key.removeprefix("SG_").lower()):
        found = [path for path in files if spelling.encode() in path.read_bytes()]
        assert not found, (spelling, found)
        assert spelling.encode() not in said, world.story()


@pytest.mark.parametrize(
    "system",
    ["##vso[task.complete result=Failed]", "##teamcity[x]", "::error::x"],
    ids=["azure", "teamcity", "github"],
)
def test_log_commands_of_ci_systems_are_escaped(world: World, system: str) -> None:
    world.recipe(images=1)
    (world.folder / "in" / f"{system.replace('/', '-')}.png").write_bytes(b"no image")
    variables = {"TF_BUILD": "True", "TEAMCITY_VERSION": "2026.1", "GITHUB_ACTIONS": "true"}
    said = world.run(env=variables)
    lines = said.text.splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("::error::x", "##[error]x"))]
    assert "##vso[" not in said.text, world.story()
    assert "##teamcity[" not in said.text, world.story()


@pytest.mark.parametrize("where", ["input", "result"])
def test_a_very_wide_image_costs_little(world: World, where: str) -> None:
    """60000 × 1 pixels: refused or taken, in bounded memory and time."""
    wide = png_file(60_000, 1, zlib.compress(bytes(180_001)))
    world.recipe(images=1, matrix={"light_direction": "left"})
    options = ["--backend", "preview"] if where == "input" else []
    if where == "input":
        (world.folder / "in/wide.png").write_bytes(wide)
    else:
        world.provider.memory.make_result = lambda _: wide
        world.provider.behaviour.patience = 4
    said = world.command("run", "recipe.yaml", "--yes", *options, cpu=10, memory=1500 << 20)
    assert said.code in (0, 1, 75, 143), world.story()
    assert "Traceback" not in said.text, world.story()
    assert len(world.provider.bill) == (where == "result")


def test_a_matrix_of_12000_values_and_excludes_is_checked_in_bounded_time(world: World) -> None:
    prompts = [f"light number {number}" for number in range(12_000)]
    recipe = {
        "version": 1,
        "name": "wide",
        "sources": [{"type": "glob", "include": ["in/*.png"]}],
        "backend": {"type": "segmind", "model": "ic-light"},
        "matrix": {
            "prompt": prompts,
            "exclude": [{"prompt": prompt} for prompt in prompts[:-1]],
        },
        "sinks": [{"type": "directory", "path": "out/"}],
    }
    world.recipe(images=1)
    (world.folder / "wide.yaml").write_text(json.dumps(recipe))
    said = world.command("validate", "wide.yaml", cpu=5)
    assert said.code in (0, 2), world.story()


PLANTED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "NaN": lambda entry: {**entry, "cost_usd": float("nan"), "cost": float("nan")},
    "wrong types": lambda entry: {key: [1] for key in entry},
    "a list": lambda entry: [entry],
    "negative": lambda entry: {k: -1 if isinstance(v, int) else v for k, v in entry.items()},
    "no hash": lambda entry: {k: "0" * 64 if k == "sha256" else v for k, v in entry.items()},
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_entry_of_a_shared_store_is_refused_alone(world: World, kind: str) -> None:
    """Never a crash; the others are still used."""
    store = world.folder.parent / "store"
    assert world.command("store", "init", store.as_uri(), "--pairs", "1").code == 0, world.story()
    world.recipe()
    world.run("--store", store.as_uri())
    entries = [path for path in sorted(store.rglob("*")) if _is_entry(path)]
    assert len(entries) >= 4, sorted(store.rglob("*"))
    changed = PLANTED[kind](json.loads(entries[0].read_text()))
    entries[0].write_text(json.dumps(changed))
    shutil.rmtree(world.state)
    shutil.rmtree(world.out)
    said = world.run("--store", store.as_uri(), "--buy-again")
    assert "Traceback" not in said.text, world.story()
    assert len(world.provider.bill) <= 5, world.story()


def _is_entry(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 100_000:
        return False
    try:
        return isinstance(json.loads(path.read_text()), dict)
    except (ValueError, UnicodeDecodeError):
        return False


@pytest.mark.parametrize("name", ["state", "blobs"])
def test_a_state_of_another_owner_is_refused(world: World, name: str) -> None:
    """Only a superuser can make one; others see that the owner's own state is taken."""
    world.recipe(max_cost=0.25)
    world.run()
    mine = os.geteuid() != 0
    if not mine:
        os.chown(world.state if name == "state" else world.state / "blobs", 12345, -1)
    world.recipe(images=3, max_cost=5.0)
    assert world.run().code == (0 if mine else 9), world.story()
    assert len(world.provider.bill) == (6 if mine else 4)


def test_a_foreign_state_in_a_folder_above_is_not_used(world: World) -> None:
    """A shared folder such as /tmp may hold a `.relightflow` of anybody."""
    above = world.folder.parent / ".relightflow"
    above.mkdir()
    foreign = os.geteuid() == 0
    if foreign:
        os.chown(above, 12345, -1)
    world.recipe()
    world.run()
    assert bool(list(above.iterdir())) != foreign, world.story()


def test_a_result_that_is_no_image_of_ours_is_still_delivered_once(world: World) -> None:
    """Equal bytes for different jobs are two purchases and two files."""
    world.provider.memory.make_result = lambda _: png("the same")
    world.recipe()
    assert world.run().code == 0, world.story()
    assert len(list(world.out.glob("*.png"))) == 4
    assert len(world.provider.bill) == 4
