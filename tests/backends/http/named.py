"""A recipe, a state and an emulated provider that takes our names for calls: what runs come to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from benchmarks.reliability.inside import hurried
from relightflow import api
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.plain import Emulator, Spoil
from relightflow.errors import Exit, RelightflowError
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.network import certificates
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.report.summary import summary as words
from relightflow.store.state_dir import StateDir

KEY = "comfyui-0123456789abcdef"
JOBS = 2
PRICE = 40_000
RECIPE = """\
version: 1
name: named
sources: [{{type: glob, include: ["in/*.jpg"]}}]
backend: {{type: {backend}}}
matrix: {{light_type: [midday, overcast light], light_direction: {directions}}}
limits: {{concurrency: {concurrency}, max_cost: 5}}
sinks: [{{type: directory, path: out/}}]
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault, and what must come of it."""

    name: str
    faults: tuple[Spoil, ...]
    exit: Exit = Exit.OK
    words: tuple[str, ...] = ()
    billed: int = JOBS
    """Calls on the bill after the first run."""
    then: Exit = Exit.OK
    end: int = JOBS
    """Calls on the bill after the second run, without the fault."""
    emulator: dict[str, Any] = field(default_factory=dict)
    """Attributes of the emulator during the first run."""


def row(name: str, phase: str, how: Any, *, times: int = 1, **facts: Any) -> Row:
    """A fault that passes, of which nothing is left at the end of the run."""
    spoil = {key: facts.pop(key) for key in (*Spoil.__slots__,) if key in facts}
    return Row(name, (Spoil(phase, how, times, **spoil),), **facts)


SUBMITS = (
    row("reset, not taken", "submit", "unread"),
    row("reset, taken", "submit", "lost"),
    row("reset twice, not taken", "submit", "unread", times=2),
    row("every answer is lost at first", "submit", "lost", times=4),
    row("cut short, taken", "submit", "cut"),
    row("no answer in time, taken", "submit", "hang", seconds=2.0),
    *(row(f"a proxy's {code}, taken", "submit", "behind", status=code) for code in (500, 502, 504)),
    *(row(f"a proxy's {code}, not taken", "submit", "instead", status=code) for code in (200, 502)),
    row("an empty 200, taken", "submit", "behind", status=200, body=b""),
    row("too much, taken", "submit", "behind", status=200, body=b" " * (2 << 20)),
    row("a redirect", "submit", "instead", times=9, status=307, headers={"Location": "http://localhost:1/"},
        exit=Exit.REFUSED, billed=0, words=("never followed",)),
)  # fmt: skip
"""What can befall the billable call of any provider."""
DOWNLOADS = (
    *(row(f"download meets {how}", "download", how, times=2) for how in ("unread", "instead", "cut")),
    row("the download is a page for a while", "download", "instead", times=2, status=200),
)  # fmt: skip


@dataclass(slots=True)
class Shop:
    folder: Path
    backend: str
    emulator: Emulator
    variable: str
    """Of the key, which a run takes out of the environment."""

    def recipe(self, directions: str = "[front]", concurrency: int = 1) -> None:
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in/a.jpg").write_bytes(tiny())
        text = RECIPE.format(backend=self.backend, directions=directions, concurrency=concurrency)
        (self.folder / "recipe.yaml").write_text(text)

    async def run(self, cap: int = 5_000_000, **run_options: Any) -> tuple[Exit, str]:
        """What a run ends with, and everything that it says."""
        notices: list[str] = []
        registry, operator = load(), OperatorPolicy()
        try:
            recipe = api.load(self.folder / "recipe.yaml", registry)
            plan = api.plan(recipe, registry, Selection(), operator, self.state_dir)
            options = RunOptions((SpendLimit(cap, "a test"),), **run_options)
            watch = RunCallbacks(on_notice=notices.append)
            came = await api.run(plan, registry, self.state_dir, options, operator, watch)
        except RelightflowError as error:
            return error.exit_code, "\n".join([str(error), *notices])
        return came.exit, "\n".join([words(came), *notices])

    @property
    def state_dir(self) -> StateDir:
        return StateDir(self.folder / ".relightflow")

    def attempts(self) -> list[Attempt]:
        with open_reader(self.state_dir.ledger) as reader:
            return reader.attempts()

    def unknown(self) -> int:
        return sum(attempt.state is State.UNKNOWN for attempt in self.attempts())

    def done(self) -> int:
        return sum(attempt.state is State.DONE for attempt in self.attempts())

    def images(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "out").glob("*.jpg"))]

    def kept(self) -> list[Path]:
        """Bodies of calls that may have to be sent again."""
        folder = self.state_dir.calls
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def check_bill(self) -> None:
        """No job is billed twice, and the ledger knows of every billed call."""
        asked = [(call.model, *sorted(call.parameters.items())) for call in self.emulator.bill]
        assert len({str(one) for one in asked}) == len(asked), "a job was billed twice"
        known = {attempt.uuid for attempt in self.attempts()}
        assert {call.name.replace("-", "") for call in self.emulator.bill} <= known


@asynccontextmanager
async def shop(folder: Path, backend: str, emulator: Emulator) -> AsyncIterator[Shop]:
    """The provider `emulator` listens, waits do not wait, and the recipe is there."""
    variable = load().backend(backend).key_variable
    async with emulator.running():
        environ = {
            f"RELIGHTFLOW_{backend.upper()}_URL": emulator.url,
            "RELIGHTFLOW_REHEARSAL": "no",  # it stands for the provider itself
            variable: emulator.key,
        }
        # nothing here is encrypted, and reading the machine's certificates takes longest of all
        with hurried(environ), mock.patch.object(certificates, "context", return_value=None):
            made = Shop(folder, backend, emulator, variable)
            made.recipe()
            yield made


Shopping = Callable[..., AbstractAsyncContextManager[Shop]]


def shopping_at(backend: str, emulator: Callable[..., Emulator]) -> Any:
    """The fixture `shopping`: `async with shopping(seconds=1) as opened` is a shop whose emulator has those facts."""

    @pytest.fixture
    def shopping(tmp_path: Path) -> Shopping:
        return lambda **facts: shop(tmp_path, backend, emulator(KEY, **facts))

    return shopping


async def check_row(shop_: Shop, found: Row) -> None:
    """The first run with the fault, the second without it."""
    emulator = shop_.emulator
    before = {name: getattr(emulator, name) for name in found.emulator}
    emulator.faults = [replace(fault) for fault in found.faults]
    for name, value in found.emulator.items():
        setattr(emulator, name, value)
    code, said = await shop_.run()
    assert code is found.exit, said
    assert not [word for word in found.words if word not in said], said
    shop_.check_bill()
    assert len(emulator.bill) == found.billed
    assert emulator.key not in said
    met = [
        now.times < fault.times for now, fault in zip(emulator.faults, found.faults, strict=True)
    ]
    assert all(met), "the fault never happened"
    emulator.faults = []
    for name, value in before.items():
        setattr(emulator, name, value)
    code, said = await shop_.run()
    assert code is found.then, said
    shop_.check_bill()
    assert len(emulator.bill) == found.end
    if found.then is Exit.OK:
        assert (shop_.unknown(), len(shop_.images()), shop_.kept()) == (0, JOBS, [])


async def killed(shop_: Shop, point: str) -> int:
    """The program in a process of its own, which ends by SIGKILL at `point`; its exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relightflow", "run", "recipe.yaml", "--yes",
        cwd=shop_.folder,
        env={**os.environ, "RELIGHTFLOW_CRASH_AT": point, shop_.variable: shop_.emulator.key},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    await process.communicate()
    assert process.returncode is not None
    return process.returncode
