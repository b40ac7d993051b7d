"""The table of faults: a name, where it can happen, and the coroutine that plays it.

A fault is a coroutine over one call. It may read the request, let the true answer come about with
`call.proceed()` (and with it the bill), and then answer, spoil the answer, or drop the connection.
Its keyword arguments are what a plan writes under `with`; one without a default must be given. What
the provider refuses by itself (`Refused`) passes through a fault unchanged.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from aiohttp import web

_Act = Callable[..., Awaitable[web.StreamResponse]]
ANYWHERE = ("submit", "status", "result", "download", "upload", "asset", "credits", "history")
JSON_CALLS = tuple(phase for phase in ANYWHERE if phase not in ("download", "asset"))


class Dropped(Exception):
    """The connection is gone: there is nothing to answer."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault that a plan can name."""

    name: str
    phases: tuple[str, ...]
    act: _Act

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.act) or "").split("\n\n")[0].replace("\n", " ")

    def problem(self, given: dict[str, Any]) -> str | None:
        """Why `given` cannot be this fault's `with`; None where it can."""
        hints = get_type_hints(self.act)
        wanted = {
            name: parameter
            for name, parameter in inspect.signature(self.act).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        for name, value in given.items():
            if name not in wanted:
                return f"{name}: not an option of {self.name}; known: {', '.join(wanted) or 'none'}"
            if not _fits(value, hints[name]):
                return f"{name}: {value!r} is not {_words(hints[name])}"
        absent = [
            n
            for n, parameter in wanted.items()
            if parameter.default is parameter.empty and n not in given
        ]
        return f"{absent[0]}: must be given for {self.name}" if absent else None


FAULT_KINDS: dict[str, FaultKind] = {}
"""Every fault by name; reading.py sees to it that all are here."""


def fault(name: str, phases: tuple[str, ...] = ANYWHERE) -> Callable[[_Act], _Act]:
    """Enter the decorated coroutine in the table."""

    def enter(act: _Act) -> _Act:
        FAULT_KINDS[name] = FaultKind(name, phases, act)
        return act

    return enter


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    accepted = get_args(hint) or (hint,)
    if isinstance(value, bool):
        return bool in accepted
    if isinstance(value, int) and float in accepted:
        return True
    return isinstance(value, accepted)


def _words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    names = {bool: "true or false", int: "an integer", float: "a number", str: "text"}
    return " or ".join(names.get(kind, "nothing") for kind in get_args(hint) or (hint,))
