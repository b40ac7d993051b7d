"""Commands of the program as processes: started, killed, limited, waited for.

They are forked from a process that has imported everything (`fork_server`). With `fork=False`, or
RELIGHTFLOW_TESTS_EXEC in the environment, each is a new interpreter: `python -m relightflow`, whose
clock is moved by libfaketime.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.processes import clocks

FORKING = "RELIGHTFLOW_TESTS_EXEC" not in os.environ
TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class Said:
    """What a command ended with. `code` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(slots=True)
class Running:
    """A command that was started."""

    pid: int
    out: Path
    err: Path
    ended: threading.Event = field(default_factory=threading.Event)
    code: int = 0
    peak: int = 0
    """Most memory that a new interpreter had, as the system counts it: KiB on Linux."""

    def send(self, number: int) -> None:
        if not self.ended.is_set():
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def first_line(self) -> str:
        """Of what it prints, as soon as it is there. Raises TimeoutError."""
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until and not self.ended.wait(0.02):
            line, end, _ = self._read(self.out).partition("\n")
            if end:
                return line
        raise TimeoutError(f"nothing was printed: {self._read(self.err)}")

    def wait(self) -> Said:
        if not self.ended.wait(TIMEOUT):
            self.kill()
            self.ended.wait(TIMEOUT)
            raise TimeoutError(f"no end after {TIMEOUT} s: {self._read(self.err)}")
        return Said(self.code, self._read(self.out), self._read(self.err))

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text(errors="surrogateescape")


def start(
    arguments: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    *,
    cpu: int = 0,
    memory: int = 0,
    shift: float = 0.0,
    fork: bool = True,
) -> Running:
    """`shift`: seconds that its wall clock is ahead. `cpu` seconds and `memory` bytes are the most that it may use; 0: no limit."""
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    out, err = folder / "out", folder / "err"
    for path in (out, err):
        path.touch()
    if (fork and FORKING) or (shift and not clocks.library()):
        return _server().start(
            {
                "arguments": arguments,
                "cwd": str(cwd),
                "env": dict(env),
                "out": str(out),
                "err": str(err),
                "cpu": cpu,
                "memory": memory,
                "shift": shift,
            }
        )
    limits = f"ulimit -t {cpu or 'unlimited'}; ulimit -v {memory // 1024 or 'unlimited'}"
    command = ["sh", "-c", f'{limits}; exec "$@"', "sh", sys.executable, "-m", "relightflow"]
    if not (cpu or memory):
        command = command[4:]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=cwd,
            env={**env, **(clocks.faketime(shift) if shift else {})},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    running = Running(process.pid, out, err)

    def reap() -> None:
        _, status, usage = os.wait4(process.pid, 0)
        running.code = process.returncode = os.waitstatus_to_exitcode(status)
        running.peak = usage.ru_maxrss
        running.ended.set()

    threading.Thread(target=reap, daemon=True).start()
    return running


class ForkServer:
    def __init__(self) -> None:
        env = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        env |= {"OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.fork_server"],
            cwd=Path(__file__).parents[2],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.running: dict[int, Running] = {}
        self.started: dict[int, threading.Event] = {}
        self.lock = threading.Lock()
        self.number = 0
        self._answer()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        atexit.register(self.stop)

    def start(self, request: dict[str, Any]) -> Running:
        with self.lock:
            self.number += 1
            number = self.number
            running = Running(0, Path(request["out"]), Path(request["err"]))
            self.running[number] = running
            started = self.started[number] = threading.Event()
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps({**request, "number": number}).encode() + b"\n")
            self.process.stdin.flush()
        if not started.wait(TIMEOUT):
            raise TimeoutError("the fork server does not answer")
        return running

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(TIMEOUT)
        self.reader.join(TIMEOUT)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    def _read(self) -> None:
        while told := self._answer():
            number = told["number"]
            if "pid" in told:
                self.running[number].pid = told["pid"]
                self.started.pop(number).set()
            else:
                running = self.running.pop(number)
                running.code = told["status"]
                running.ended.set()


@cache
def _server() -> ForkServer:
    return ForkServer()


@cache
def _folder() -> str:
    folder = tempfile.TemporaryDirectory(prefix="relightflow-commands-")
    atexit.register(folder.cleanup)
    return folder.name
