"""A task on its way to another process and its answer on the way back, as bytes that show nothing.

Schedulers log the arguments of what fails and show them on dashboards, so a task travels as an envelope
that prints its name alone, and what a task raises is an answer like any other.
"""

from __future__ import annotations

import pickle
import socket
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused

T = TypeVar("T")
_DECIDE = ("relightflow", "pillow", "numpy")
"""Packages whose version decides what bytes come out, or whether a task is understood at all."""


@dataclass(frozen=True, slots=True)
class Envelope:
    name: str
    versions: tuple[str, ...]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """Exactly what the task returned or raised."""

    content: bytes = field(repr=False)
    raised: bool


@cache
def _versions() -> tuple[str, ...]:
    def one(package: str) -> str:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return f"no {package}"

    return tuple(map(one, _DECIDE))


def packed(task: Task[T]) -> Envelope:
    """Raises ExecutorUnavailable where the task cannot be pickled."""
    try:
        return Envelope(task.name, _versions(), pickle.dumps(task))
    except Exception as problem:  # pickle raises what it likes
        raise ExecutorUnavailable(
            f"the task '{task.name}' cannot be sent ({type(problem).__name__}: {problem})"
        ) from None


def done(envelope: Envelope) -> Answer:
    """Open the envelope and do the task, in the process where this is called. Raises nothing."""
    if envelope.versions != _versions():
        return Answer(_pickled(TaskRefused(_differs(envelope.versions))), raised=True)
    try:
        task: Task[Any] = pickle.loads(envelope.content)  # noqa: S301  from this run's own driver
        return Answer(pickle.dumps(task()), raised=False)
    except Exception as problem:
        return Answer(_pickled(problem), raised=True)


def opened(answer: Answer) -> Any:
    """What the task returned. Raises what it raised."""
    found = pickle.loads(answer.content)  # noqa: S301  from a worker that the operator trusts with code
    if answer.raised:
        raise found
    return found


def _differs(here: tuple[str, ...]) -> str:
    pairs = zip(here, _versions(), strict=True)
    words = ", ".join(f"{theirs}, not {ours}" for ours, theirs in pairs if ours != theirs)
    return f"a worker on {socket.gethostname()} has {words}"


def _pickled(problem: Exception) -> bytes:
    """The exception, or its words where it cannot make the journey."""
    try:
        data = pickle.dumps(problem)
        pickle.loads(data)  # noqa: S301  our own, a line above
    except Exception:
        words = f"{type(problem).__name__}: {problem}"
        return pickle.dumps(TaskRefused(f"a worker failed ({words})"))
    return data
