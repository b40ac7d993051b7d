"""A project of a user, the real program in real processes, and the provider that bills it.

`world.recipe(…)`, `world.run(…)`, and `world.provider` for what the provider does and has billed.
The kill comes from the provider's side: it knows what it has seen. Time passes for both sides with
`world.wait(seconds)`; `world.local_offset` is a wrong clock of the user's machine alone.

A new situation needs a field of `behaviour.Behaviour` or `Records` (the default is the documented
provider), its effect in `handler.py` or `records.py`, and a test: a recipe of 2 to 8 jobs, the fault,
further runs (`world.settle()`), and assertions on the bill (`assert_paid_once`, `assert_complete`).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import commands
from tests.processes.commands import Said
from tests.world.calls import png
from tests.world.provider import Provider

KILLED = -signal.SIGKILL
MATRIX: Mapping[str, Any] = {"light_direction": ["left", "right"]}
CLEARED = ("RELIGHTFLOW_", "SEGMIND_", "AWS_", "GIT_", "FAKETIME")


@dataclass(slots=True)
class World:
    folder: Path
    """The project."""
    provider: Provider
    key: str = field(default_factory=lambda: f"SG_{secrets.token_hex(8)}")
    local_offset: float = 0.0
    passed: float = 0.0
    settling: str = "0.3"
    """Seconds for RELIGHTFLOW_SEGMIND_SETTLING; empty: the product's default."""
    said: list[Said] = field(default_factory=list)
    """Every command's end, in order."""
    _running: commands.Running | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.provider.kill = self.kill
        self.provider.interrupt = self.interrupt

    # The project

    @property
    def state(self) -> Path:
        return self.folder / ".relightflow"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def images(self, count: int) -> None:
        folder = self.folder / "in"
        folder.mkdir(exist_ok=True)
        for index in range(count):
            (folder / f"image-{index}.png").write_bytes(png(f"image {index}"))

    def recipe(
        self,
        images: int = 2,
        name: str = "recipe.yaml",
        matrix: Mapping[str, Any] = MATRIX,
        sinks: list[dict[str, Any]] | None = None,
        repeat: int = 1,
        backend: Mapping[str, Any] | None = None,
        **limits: Any,
    ) -> Path:
        """Images × matrix × repeat jobs of 0.05 USD; 4 by default, one after the other."""
        self.images(images)
        kept = {name: value for name, value in limits.items() if value is not None}
        cap = {} if "max_cost" in limits else {"max_cost": 5.0}
        document = {
            "version": 1,
            "name": Path(name).stem,
            "sources": [{"type": "glob", "include": ["in/*.png"]}],
            "backend": {
                "type": "segmind",
                "api": self.provider.behaviour.protocol,
                **(backend or {}),
            },
            "matrix": dict(matrix),
            "repeat": repeat,
            "limits": {"concurrency": 1, **cap, **kept},
            "sinks": sinks if sinks is not None else [{"type": "directory", "path": "out/"}],
        }
        path = self.folder / name
        path.write_text(json.dumps(document, indent=1))
        return path

    # The program

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(CLEARED)}
        env |= {
            "RELIGHTFLOW_SEGMIND_URL": self.provider.url,
            "RELIGHTFLOW_REHEARSAL": "no",  # this provider stands for the real one
            "SEGMIND_API_KEY": self.key,
            "NO_COLOR": "1",
            "PYTHONWARNINGS": "default",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        if self.settling:
            env["RELIGHTFLOW_SEGMIND_SETTLING"] = self.settling
        return {**env, **(more or {})}

    def start(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **how: Any,
    ) -> commands.Running:
        how = {"fork": not self.local_offset, "shift": self.passed + self.local_offset} | how
        return commands.start(arguments, cwd or self.folder, self.environment(env), **how)

    def command(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Said:
        """Any command of relightflow, to its end. `how`: see `commands.start`."""
        self.provider.pages = 0
        self._running = self.start(*arguments, cwd=cwd, env=env, **how)
        said = self._running.wait()
        self.said.append(said)
        return said

    def run(
        self,
        *arguments: str,
        recipe: str = "recipe.yaml",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Said:
        return self.command("run", recipe, "--yes", *arguments, cwd=cwd, env=env)

    def kill(self) -> None:
        """SIGKILL for the command that is running; the provider calls it."""
        if self._running is not None:
            self._running.kill()

    def interrupt(self) -> None:
        """SIGTERM for the command that is running."""
        if self._running is not None:
            self._running.send(signal.SIGTERM)

    def settle(self, runs: int = 4, wait: float = 660.0) -> Said:
        """Run again until everything is in place, with time between; the last run's end."""
        said = self.run()
        for _ in range(runs - 1):
            if said.code == 0:
                break
            self.wait(wait)
            said = self.run()
        return said

    def wait(self, seconds: float) -> None:
        """Time passes, on both sides."""
        self.passed += seconds
        self.provider.behaviour.offset += seconds

    # The machine

    def copy_state(self, name: str = "backup") -> Path:
        target = self.folder.parent / name
        shutil.copytree(self.state, target, symlinks=True)
        return target

    def ledger_files(self) -> list[Path]:
        return sorted(self.state.glob("ledger.sqlite3*"))

    def put_back(self, backup: Path, *names: str) -> None:
        """These files of the backup replace the state's; a ledger's companions go away."""
        if "ledger.sqlite3" in names:
            for path in self.ledger_files():
                path.unlink()
        for name in names:
            if (backup / name).exists():
                shutil.copy2(backup / name, self.state / name)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        made = subprocess.run(
            ["git", *identity, "-c", "init.defaultBranch=main", *arguments],
            cwd=cwd or self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout

    # What must hold

    def delivered(self, out: Path | None = None) -> set[str]:
        """Hashes of all files below the sink's folder."""
        files = (path for path in (out or self.out).rglob("*") if path.is_file())
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def missing(self, out: Path | None = None) -> list[str]:
        """Requests that were billed and whose image is not in the sink."""
        there = self.delivered(out)
        return [
            call.request_id
            for call in self.provider.bill
            if hashlib.sha256(call.result).hexdigest() not in there
        ]

    def misplaced(self, out: Path | None = None) -> list[str]:
        """Outputs of the manifest whose file is an image that was made for something else."""
        made = {hashlib.sha256(call.result).hexdigest(): call for call in self.provider.bill}
        wrong = []
        for record in self.manifest(out):
            call = made.get(record.get("sha256", ""))
            if call is None:
                continue
            asked = [call.slug, record["source"]["sha256"], record["parameters"]]
            slug, image, inputs = json.loads(call.work)
            if [slug, image, inputs] != asked:
                wrong.append(record["job"])
        return wrong

    def manifest(self, out: Path | None = None) -> list[dict[str, Any]]:
        path = (out or self.out) / "manifest.jsonl"
        if not path.exists():
            return []
        records = [json.loads(line) for line in path.read_text().splitlines()]
        return [record for record in records if record["record"] == "output"]

    def story(self) -> str:
        """For an assertion that fails: what every command said."""
        told = [f"[{said.code}] {said.text.strip()}" for said in self.said]
        bill = [f"{call.request_id} {call.work}" for call in self.provider.bill]
        return "\n".join([*told, f"bill: {len(bill)}", *bill])

    def assert_paid_once(self, repeat: int = 1) -> None:
        assert not self.provider.billed_twice(repeat), self.story()

    def assert_complete(self, jobs: int, out: Path | None = None) -> None:
        """All bought once, nothing lost, each in its own place."""
        self.assert_paid_once()
        assert len(self.provider.bill) == jobs, self.story()
        assert not self.missing(out), self.story()
        assert not self.misplaced(out), self.story()
