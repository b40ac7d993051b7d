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
_STAND_IN = re.compile(r"RELIGHTFLOW_[A-Z0-9]+_URL")


def rehearsing(environ: Mapping[str, str]) -> bool:
    """What is made now was not bought, and must never count as bought. Raises UsageError."""
    word = environ.get(VARIABLE, "").strip().lower()
    if word not in ("", "yes", "no"):
        raise UsageError(f"{VARIABLE} must be yes or no")
    urls = [url for name, url in environ.items() if _STAND_IN.fullmatch(name) and url.strip()]
    return bool(urls) and word != "no" and (word == "yes" or all(map(_here, urls)))


def check_stand_in(environ: Mapping[str, str], backend: str, others: Iterable[str]) -> None:
    """Raises UsageError where only providers of `others` have a stand-in, so that a paid `backend` would
    spend money in what counts as a rehearsal."""
    given = [name for name in environ if _STAND_IN.fullmatch(name) and environ[name].strip()]
    foreign = {_variable(name) for name in others if name != backend}
    if given and foreign.issuperset(given):
        raise UsageError(
            f"{given[0]} makes this a rehearsal, but the backend '{backend}' would go to its real "
            f"provider and cost money; unset it, or set {_variable(backend)} as well"
        )


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
