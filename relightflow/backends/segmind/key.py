"""The API key: read once from the environment or a file, and taken out of the environment.

A child process must never inherit the key, so the variable is removed when it is read; later opens
in this process find it here. It is never part of a message.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from relightflow.core.redact import register
from relightflow.errors import AccountError

VARIABLE = "SEGMIND_API_KEY"
FILE_VARIABLE = "SEGMIND_API_KEY_FILE"
LONGEST = 4096
_WHAT_TO_DO = f"set {VARIABLE}, or {FILE_VARIABLE} to a file that contains the key"


@dataclass(slots=True)
class KeyRing:
    """Remembers the key between opens in one process."""

    _key: str = field(default="", repr=False)

    def read(
        self,
        notice: Callable[[str], None],
        environment: MutableMapping[str, str] = os.environ,
    ) -> str:
        """The key. Raises `AccountError` where there is none or it cannot be one."""
        given = environment.pop(VARIABLE, "").strip()
        if given:
            self._key = _checked(given, VARIABLE)
        elif path := environment.get(FILE_VARIABLE, ""):
            self._key = _checked(_from_file(Path(path), notice), FILE_VARIABLE)
        if not self._key:
            raise AccountError(f"no API key for Segmind: {_WHAT_TO_DO}")
        register(self._key, self._key.removeprefix("SG_"))
        return self._key


RING = KeyRing()


def _from_file(path: Path, notice: Callable[[str], None]) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise AccountError(f"{FILE_VARIABLE} does not name a regular file")
            data = file.read(LONGEST + 1)
        text = data.decode("utf-8-sig").strip()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise AccountError(f"{FILE_VARIABLE} cannot be read: {reason}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        notice(f"the file that {FILE_VARIABLE} names can be read by others; chmod 600 protects it")
    return text


def _checked(key: str, where: str) -> str:
    """`key` if a header can carry it; what a key looks like is the provider's to decide."""
    if not key:
        raise AccountError(f"{where} is empty: {_WHAT_TO_DO}")
    if len(key) > LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise AccountError(
            f"the content of {where} cannot be a key: it must be one line without spaces"
        )
    return key
