"""Prints the outputs of action.yml from the documents that relightflow printed: `name=value` lines.

    python ci/outputs.py COMMAND DOCUMENTS [PLAN]

Only numbers, hashes and one path are printed, each on one line, so that no text of a recipe or of a
provider can set an output of its own.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def outputs(command: str, documents: list[dict[str, Any]], plan: str) -> Iterator[tuple[str, str]]:
    summaries = [one for one in documents if one.get("kind") == "summary"]
    plans = [one for one in documents if one.get("kind") == "plan"]
    if plans:
        prices = [one["price_usd"] for one in plans]
        known = all(price is not None for price in prices)
        yield "cost", f"{sum(price['high'] for price in prices):.6g}" if known else ""
        yield "new", str(sum(one["new"] for one in plans))
    if summaries:
        counts = [one["counts"] for one in summaries]
        yield "spent", f"{sum(one['money']['spent_usd'] for one in summaries):.6g}"
        yield "new", str(sum(one["made"] for one in counts))
        yield "failed", str(sum(one["failed"] for one in counts))
        yield "unknown", str(sum(one["unknown"] for one in counts))
        yield "manifest", summaries[-1]["manifest"].partition("\n")[0]
    if plan and command in ("plan", "apply", "merge") and Path(plan).is_file():
        yield "plan-sha256", hashlib.sha256(Path(plan).read_bytes()).hexdigest()


def main() -> None:
    command, path, plan = [*sys.argv[1:], ""][:3]
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    for name, value in outputs(command, documents, plan):
        sys.stdout.write(f"{name}={value}\n")


if __name__ == "__main__":
    main()
