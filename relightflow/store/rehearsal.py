"""Whether this process rehearses: a server on this machine stands in for a paid provider.

`RELIGHTFLOW_<BACKEND>_URL` names the stand-in; on this machine it is an emulator, elsewhere a gateway
that may cost money. `RELIGHTFLOW_REHEARSAL=yes|no` says so where that is wrong.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from relightflow.errors import UsageError

VARIABLE = "RELIGHTFLOW_REHEARSAL"
_BUILT_IN = "relightflow"
_STAND_IN = re.compile(r"RELIGHTFLOW_[A-Z0-9]+_URL")


def rehearsing(environ: Mapping[str, str]) -> bool:
    """What is made now was not bought, and must never count as bought. Raises UsageError."""
    word = environ.get(VARIABLE, "").strip().lower()
    if word not in ("", "yes", "no"):
        raise UsageError(f"{VARIABLE} must be yes or no")
    urls = [environ[name] for name in _given(environ)]
    return bool(urls) and word != "no" and (word == "yes" or all(map(_here, urls)))


def rehearsed(environ: Mapping[str, str], paid: Iterable[str], brought: Mapping[str, str]) -> bool:
    """Whether what the backends `paid` of a recipe make counts as rehearsed. `brought`: every backend →
    `relightflow`, or the plugin that brought it.

    Raises UsageError where some of them would be bought from, and others are stand-ins.
    """
    paid = tuple(paid)
    if rehearsing(environ):
        for backend in paid:
            _check_stand_in(environ, backend, brought)
        return bool(paid)
    given = {name: environ[name] for name in map(_variable, paid) if environ.get(name, "").strip()}
    if environ.get(VARIABLE, "").strip().lower() != "no":
        for name in (name for name, url in given.items() if _here(url)):
            other = next(n for n in _given(environ) if not _here(environ[n]))
            raise UsageError(
                f"{name} names a server on this machine and {other} one elsewhere, so it is unclear "
                "whether this is a rehearsal: what an emulator makes would count as bought. Unset one of "
                f"them, or set {VARIABLE}=yes if nothing costs money, no if all of it does"
            )
    return False


def _check_stand_in(environ: Mapping[str, str], backend: str, brought: Mapping[str, str]) -> None:
    """Raises UsageError where a paid `backend` would spend money in what counts as a rehearsal. A plugin's
    backend may have a variable of another name; ours have not."""
    given = _given(environ)
    foreign = {_variable(name) for name in brought if name != backend}
    misses = brought.get(backend) == _BUILT_IN and _variable(backend) not in given
    if given and (misses or foreign.issuperset(given)):
        raise UsageError(
            f"{given[0]} makes this a rehearsal, but the backend '{backend}' would go to its real "
            f"provider and cost money; unset it, or set {_variable(backend)} as well"
        )


def _given(environ: Mapping[str, str]) -> list[str]:
    return [name for name, url in environ.items() if _STAND_IN.fullmatch(name) and url.strip()]


def _variable(backend: str) -> str:
    return f"RELIGHTFLOW_{backend.upper().replace('-', '')}_URL"


def _here(url: str) -> bool:
    try:
        return on_this_machine(urlsplit(url.strip()).hostname or "")
    except ValueError:
        return False


def on_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address, or the usual name of one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
