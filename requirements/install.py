"""Install a lock file and this checkout into the environment of the Python that runs this, with pip alone.

Says what it is doing in one line, which a terminal shows as it changes; pip's own output appears only
when pip fails. The packages must have the hashes of the lock. The checkout itself has none, so it comes
in a second step that asks no index for anything.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
_PACKAGE = re.compile(
    r"(?:Collecting|Processing|Requirement already satisfied:) (?:\S*/)?([\w.-]+)"
)


def _pip(*arguments: str) -> int:
    """How many packages pip looked at. Ends the program with pip's last lines if pip fails."""
    terminal, said, count = sys.stdout.isatty(), deque[str](maxlen=60), 0
    command = [*_PIP, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout
        for line in pip.stdout:
            said.append(line)
            found = _PACKAGE.match(line)
            count += bool(found)
            doing = (
                f"{count}: {found[1]}" if found else "unpacking" * line.startswith("Installing ")
            )
            if terminal and doing:
                print(f"\r  {doing:<70.70}", end="", flush=True)
    if terminal:
        print(f"\r{'':<72}\r", end="", flush=True)
    if pip.returncode:
        sys.exit("".join(said) + f"failed: {' '.join(command)}")
    return count


def main() -> None:
    lock = Path(sys.argv[1])
    print(f"Installing the packages of {lock} into {sys.prefix}: once, about a minute", flush=True)
    began = time.monotonic()
    count = _pip("--require-hashes", "--requirement", str(lock))
    _pip("--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    print(f"Installed {count} packages in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
