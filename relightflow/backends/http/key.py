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

LONGEST = 4096


@dataclass(slots=True)
class KeyRing:
    """Remembers a provider's key between opens in one process."""

    provider: str
    """Its name, for messages."""
    variable: str
    """The environment variable that holds the key; with `_FILE` after it, the one that names a file."""
    prefix: str = ""
    """What every key begins with, so that the rest alone is taken for a secret too."""
    _key: str = field(default="", repr=False)

    @property
    def file_variable(self) -> str:
        return f"{self.variable}_FILE"

    def read(
        self,
        notice: Callable[[str], None],
        environment: MutableMapping[str, str] = os.environ,
    ) -> str:
        """The key. Raises `AccountError` where there is none or it cannot be one."""
        given = environment.pop(self.variable, "").strip()
        if given:
            self._key = self._checked(given, self.variable)
        elif path := environment.get(self.file_variable, ""):
            self._key = self._checked(self._from_file(Path(path), notice), self.file_variable)
        if not self._key:
            raise AccountError(f"no API key for {self.provider}: {self._what_to_do}")
        register(self._key, self._key.removeprefix(self.prefix))
        return self._key

    @property
    def _what_to_do(self) -> str:
        return f"set {self.variable}, or {self.file_variable} to a file that contains the key"

    def _from_file(self, path: Path, notice: Callable[[str], None]) -> str:
        where = self.file_variable
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise AccountError(f"{where} does not name a regular file")
                data = file.read(LONGEST + 1)
            text = data.decode("utf-8-sig").strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise AccountError(f"{where} cannot be read: {reason}") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            notice(f"the file that {where} names can be read by others; chmod 600 protects it")
        return text

    def _checked(self, key: str, where: str) -> str:
        """`key` if a header can carry it; what a key looks like is the provider's to decide."""
        if not key:
            raise AccountError(f"{where} is empty: {self._what_to_do}")
        if len(key) > LONGEST or not key.isascii() or not key.isprintable() or " " in key:
            raise AccountError(
                f"the content of {where} cannot be a key: it must be one line without spaces"
            )
        return key
