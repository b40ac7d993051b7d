"""The program as a process of its own, for tests of what crosses that border."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

Relightflow = Callable[..., "subprocess.CompletedProcess[str]"]
"""The fixture `relightflow`: `relightflow("plan", "r.yaml", env={…})` in a folder of its own."""

ROOT = Path(__file__).parents[2]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what a developer's machine may hold, and with the package of this checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RELIGHTFLOW_", "SEGMIND_", "GITHUB_", "NO_COLOR"))
        and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(more or {})}


def loaded(*arguments: str) -> set[str]:
    """The modules in a process that has run the command; foreign ones by their top name."""
    program = (
        "import json, sys; from relightflow.cli import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted({m.split('.')[0] if not m.startswith('relightflow') else m"
        " for m in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, env=environment(), check=True,
    )  # fmt: skip
    names: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(names)
