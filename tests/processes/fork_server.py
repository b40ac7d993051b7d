"""A process that has imported the program once and forks for each command.

Each command is a process of its own, with its own arguments, folder, environment, output files and
limits, and is killed like any other; what it does not repeat is half a second of imports, nor, at its
end, the fifth of a second in which an interpreter takes a thousand modules apart.

Requests are lines of JSON on standard input, and answers on standard output: first
`{"number": n, "pid": p}`, and at the end `{"number": n, "status": exit code or -signal}`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import resource
import runpy
import select
import signal
import sys
import threading
import warnings
from typing import Any

from tests.processes import clocks

PRELOADED = ("aiohttp", "jsonschema", "numpy", "obstore", "PIL.Image", "rich.progress", "yaml")


def preload() -> clocks.Shift:
    """Everything imported; other people's modules before the clock can be moved."""
    for name in PRELOADED:
        importlib.import_module(name)
    shift = clocks.install()
    import relightflow

    for module in pkgutil.walk_packages(relightflow.__path__, "relightflow."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    return shift


def become(request: dict[str, Any], shift: clocks.Shift) -> None:
    """In the child: the command, until it exits."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    files = (os.devnull, request["out"], request["err"])
    for number, path in enumerate(files):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    from relightflow.core import failpoints

    shift.seconds = request["shift"]
    if seconds := request["cpu"]:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if size := request["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    if crash := request["env"].get("RELIGHTFLOW_CRASH_AT"):
        failpoints.reach = failpoints.armed(crash)  # the environment is read at import
    sys.argv = ["relightflow", *request["arguments"]]
    sys.path[0] = request["cwd"]
    named = request["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [path for path in named if path and path not in sys.path]
    try:
        runpy.run_module("relightflow", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int | None):
            leave(end.code or 0)
        raise


def leave(code: int) -> None:
    """What an interpreter does at its end and others can see, and no more. Returns where output is lost:
    the interpreter knows what to do then."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as every end does
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


def serve(shift: clocks.Shift) -> None:
    """Until standard input ends. Returns in children only, after their command."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    numbers: dict[int, int] = {}
    answer({"ready": True})
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
        if 0 in ready:
            line = read_line()
            if not line:
                return None
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                os.close(writing)
                return become(request, shift)
            numbers[pid] = request["number"]
            answer({"number": request["number"], "pid": pid})
        for pid in list(numbers):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                answer({"number": numbers.pop(pid), "status": code})


def read_line() -> bytes:
    """One line, unbuffered, so that select knows of what comes after it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def answer(document: dict[str, Any]) -> None:
    os.write(1, json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moved = preload()
    gc.collect()
    gc.freeze()  # no child copies a page only because its collector looks at it
    serve(moved)
