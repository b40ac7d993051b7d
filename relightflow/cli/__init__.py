"""The command line: the only user of click. One command a file, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from relightflow.cli.boundary import guarded
from relightflow.cli.group import relightflow


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the process's exit code. Raises nothing."""
    return guarded(
        lambda: relightflow.main(arguments, prog_name="relightflow", standalone_mode=False)
    )
