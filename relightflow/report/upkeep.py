"""What the commands between runs found out, in plain words."""

from __future__ import annotations

from relightflow.model.upkeep import Verification
from relightflow.report import escape
from relightflow.report.words import count, listing

_SHOWN = 10
"""Items that are named for one finding; `--json` has all."""


def verification(path: str, found: Verification) -> str:
    lines = [
        f"{escape.terminal(path)}: {count(found.blobs, 'stored result')} and "
        f"{count(found.files, 'delivered file')} looked at, {_verdict(found)}"
    ]
    for items, one, many, meaning in (
        (found.damaged, "result is", "results are", "damaged and put aside; the next run fetches "
         "what it still can, and buys nothing again by itself"),
        (found.missing, "result is", "results are", "gone from the store"),
        (found.edited, "file was", "files were", "changed by somebody; 'run --overwrite' replaces "
         "what was changed"),
        (found.gone, "file is", "files are", "no longer there; the next run delivers again"),
    ):  # fmt: skip
        if items:
            lines.append(f"! {count(len(items), one, many)} {meaning}")
            lines += listing(items[:_SHOWN], len(items))
    return "\n".join(lines)


def _verdict(found: Verification) -> str:
    bad = len(found.damaged) + len(found.missing) + len(found.edited) + len(found.gone)
    return f"{bad:,} not as they should be" if bad else "all as they should be"
