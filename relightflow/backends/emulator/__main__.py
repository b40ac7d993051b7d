"""`python -m relightflow.backends.emulator --port 0 …`: the emulator as a process, without the command line."""

from __future__ import annotations

import sys

from relightflow.backends.emulator.options import config
from relightflow.backends.emulator.server import serve
from relightflow.errors import RelightflowError


def main(arguments: list[str]) -> int:
    try:
        serve(config(arguments))
    except RelightflowError as problem:
        sys.stderr.write(f"{problem}\n")
        return int(problem.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
