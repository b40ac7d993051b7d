"""A stage for whole runs: a folder with images and a recipe, and a backend that can be scripted."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from relightflow import api
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.outcome import Outcome
from relightflow.model.plan import Plan, Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.objects.bucket import opened
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import OperatorPolicy, SinkRecord
from relightflow.plugins.registry import Loaded, Registry, load
from relightflow.run import run_opening
from relightflow.store.marker import init_store
from relightflow.store.state_dir import StateDir
from relightflow.testing import clock
from tests.cli.program import environment
from tests.processes import commands
from tests.scripted_backend import Provider, ScriptedBackend, png, record
from tests.servers import swift as swift_server
from tests.servers.azurite import AzureServer, azurite
from tests.servers.shared import shared_server

if os.environ.pop("CI", None):  # a run says more there
    os.environ["TESTS_IN_CI"] = "yes"  # for the workers
if os.environ.get("TESTS_IN_CI"):
    settings.register_profile("repeatable", derandomize=True)  # elsewhere chance goes on
    settings.load_profile("repeatable")
RECIPE = """\
version: 1
name: demo
sources: [{{type: glob, include: ["in/*.png"]}}]
backend: {{type: studio, model: {model}}}
matrix: {{shade: {shades}}}
repeat: {repeat}
limits: {limits}
sinks: {sinks}
"""
DIRECTORY = {"type": "directory", "path": "out/", "name": "{image.stem}-{shade}-{repeat}.{ext}"}


RUN = ("run", "recipe.yaml", "--max-cost", "9", "--yes")


def make_store(url: str) -> str:
    """`url`, once it is a shared store whose claims hold; with a race of a few pairs only."""
    init_store(opened(url, files=True), pairs=3)
    return url


class Stage:
    """`stage.recipe(…)`, then `stage.run(…)` as often as the test likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = StateDir(folder / ".relightflow")
        self.provider = Provider()
        self.registry = _registry(self.provider)
        self.path = folder / "recipe.yaml"
        self.outcomes: list[Outcome] = []
        self.notices: list[str] = []
        self.operator = OperatorPolicy()
        self.image("a.png")
        self.recipe()

    def image(self, name: str, seed: str = "") -> Path:
        path = self.folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(seed or name))
        return path

    def recipe(
        self,
        shades: list[int] | None = None,
        model: str = "glow",
        sinks: list[dict[str, Any]] | None = None,
        repeat: int = 1,
        **limits: Any,
    ) -> None:
        given = json.dumps(sinks if sinks is not None else [DIRECTORY])
        text = RECIPE.format(
            model=model,
            shades=json.dumps(shades or [0]),
            limits=json.dumps(limits),
            sinks=given,
            repeat=repeat,
        )
        self.path.write_text(text)

    def sink(self, sink: SinkRecord) -> None:
        """Bring a sink into the registry."""
        sinks = {**self.registry.sinks, sink.name: Loaded(sink, "test")}
        self.registry = replace(self.registry, sinks=sinks)

    def settle(self, settlement: Settlement, backend: type[ScriptedBackend]) -> None:
        """From now on the studio is such a `backend`, and its doubts are settled so."""
        made = Loaded(record(self.provider, settlement, backend), "test")
        self.registry = replace(self.registry, backends={**self.registry.backends, "studio": made})

    def plan(self, selection: Selection | None = None) -> Plan:
        recipe = api.load(self.path, self.registry)
        return api.plan(
            recipe, self.registry, selection or Selection(), self.operator, self.state_dir
        )

    async def go(self, **run_options: Any) -> Summary:
        cap = run_options.pop("cap", 100_000_000)
        run_options.setdefault(
            "limits", () if cap is None else (SpendLimit(cap, "limits.max_cost"),)
        )
        self.outcomes.clear()
        watch = RunCallbacks(on_outcome=self.outcomes.append, on_notice=self.notices.append)
        plan = self.plan()
        return await api.run(
            plan, self.registry, self.state_dir, RunOptions(**run_options), self.operator, watch
        )

    def run(self, **run_options: Any) -> Summary:
        return asyncio.run(self.go(**run_options))

    def run_quietly(self) -> Summary:
        """Without a list of outcomes, which would grow."""
        plan = self.plan()
        made = api.run(
            plan, self.registry, self.state_dir, RunOptions(), OperatorPolicy(), RunCallbacks()
        )
        return asyncio.run(made)

    def run_in_no_time(self, patch: pytest.MonkeyPatch, **run_options: Any) -> Summary:
        """The same on a clock that jumps to whatever is waited for."""
        patch.setattr(run_opening, "RealClock", clock.VirtualClock)
        return clock.run(lambda _: self.go(**run_options))

    def attempts(self) -> list[Attempt]:
        with open_reader(self.state_dir.ledger) as reader:
            return reader.attempts()

    def states(self) -> list[State]:
        return [attempt.state for attempt in self.attempts()]

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def images(self) -> list[str]:
        """Names of what was delivered."""
        return sorted(path.name for path in self.out.glob("*.png"))


def _registry(provider: Provider) -> Registry:
    built_in = load(found=lambda: ())
    backends = {**built_in.backends, "studio": Loaded(record(provider), "test")}
    return replace(built_in, backends=backends)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


RUN = ("run", "recipe.yaml", "--max-cost", "9", "--yes")


class Program:
    """The real program in real processes, with the studio installed as a plugin whose bill is a
    file."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.book = stage.folder / "bill"
        plugin = stage.folder / "site" / "studio-1.0.dist-info"
        plugin.mkdir(parents=True)
        (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: studio\nVersion: 1.0\n")
        (plugin / "entry_points.txt").write_text("[relightflow]\nstudio = tests.scripted_backend\n")

    def start(
        self,
        *options: str,
        command: Sequence[str] = RUN,
        stdout: int = subprocess.PIPE,
        **studio: Any,
    ) -> subprocess.Popen[str]:
        """A new interpreter. `studio`: as `_environment` takes it."""
        return subprocess.Popen(
            [sys.executable, "-m", "relightflow", *command, *options],
            cwd=self.stage.folder,
            env=self._environment(**studio),
            text=True,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def run(self, *options: str, command: Sequence[str] = RUN, **studio: Any) -> tuple[int, str]:
        """Exit code (negative: killed by that signal) and everything it said."""
        env = self._environment(**studio)
        said = commands.start((*command, *options), self.stage.folder, env).wait()
        return said.code, said.text

    def call(self, *command: str, **studio: Any) -> tuple[int, str]:
        """The same for any other command."""
        return self.run(command=command, **studio)

    def _environment(
        self, mode: str = "v2", seconds: float = 0.0, crash: str = "", signals: str = ""
    ) -> dict[str, str]:
        env = environment(
            {
                "STUDIO_MODE": mode,
                "STUDIO_SECONDS": str(seconds),
                "STUDIO_BOOK": str(self.book),
                "STUDIO_SIGNALS": signals,
                **({"RELIGHTFLOW_CRASH_AT": crash} if crash else {}),
            }
        )
        env["PYTHONPATH"] += f"{os.pathsep}{self.stage.folder / 'site'}"
        return env

    def billed(self) -> list[str]:
        return self.book.read_text().split() if self.book.exists() else []


@pytest.fixture
def program(stage: Stage) -> Program:
    return Program(stage)


@contextmanager
def _endpoint(
    run: Callable[[Path, Path], AbstractContextManager[Any]], cache: Path, folder: Path
) -> Iterator[str]:
    with run(folder, cache) as server:
        yield server.endpoint


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Callable[..., AbstractContextManager[str]]:
    """`servers(name, run)`: the address of a server that all processes of the session share."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    cache = pytestconfig.cache
    assert cache is not None
    return lambda name, run: shared_server(name, folder, partial(_endpoint, run, cache.mkdir(name)))


@pytest.fixture(scope="session")
def swift(servers: Callable[..., AbstractContextManager[str]]) -> Iterator[swift_server.Server]:
    """A real S3 server, one for all the processes of the session."""
    with servers("swift", swift_server.swift) as endpoint:
        yield swift_server.Server(endpoint)


@pytest.fixture(scope="session")
def azure_server(servers: Callable[..., AbstractContextManager[str]]) -> Iterator[AzureServer]:
    """A real Azure Blob server, one for all the processes of the session."""
    with servers("azurite", azurite) as endpoint:
        yield AzureServer(endpoint)


@pytest.fixture
def azure(azure_server: AzureServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new container, and an environment in which it can be used."""
    for name in os.environ:
        if name.startswith("AZURE_"):
            monkeypatch.delenv(name)
    for name, value in azure_server.environment.items():
        monkeypatch.setenv(name, value)
    return azure_server.container()


@pytest.fixture
def s3(swift: swift_server.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a new bucket, and an environment in which it can be used."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in swift.environment.items():
        monkeypatch.setenv(name, value)
    return swift.bucket()
