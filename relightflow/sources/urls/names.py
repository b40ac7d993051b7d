"""Names images by their addresses: short, harmless, and no two alike. Pure.

The first of several that would be alike keeps the plain name and the others get a few digits of
their address's hash, so that adding to the end of a list renames nothing. Credentials do not count:
an address that was signed again keeps its name.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import PurePosixPath

from relightflow.core.filenames import safe_part, safe_path, same_place
from relightflow.network.webaddress import WebAddress


class Names:
    """Call `give` once for every address of a list, in order, whatever became of it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._alike: Counter[str] = Counter()

    def give(self, address: WebAddress, wanted: str = "") -> str:
        """A relative path: `wanted` made safe, else the last part of the address's path."""
        plain = safe_path(wanted) if wanted else safe_part(address.last or address.host)
        name = plain
        while same_place(name) in self._taken:
            digits = sha256(address.shown.encode()).hexdigest()[:8]
            self._alike[plain + digits] += 1
            count = self._alike[plain + digits]
            name = _with(plain, f"-{digits}" + (f"-{count}" if count > 1 else ""))
        self._taken.add(same_place(name))
        return name


def _with(name: str, more: str) -> str:
    path = PurePosixPath(name)
    return safe_path(str(path.with_name(path.stem + more + path.suffix)))
