"""What the commands between runs found out, in plain words."""

from __future__ import annotations

from relightflow.errors import Exit
from relightflow.model.maintenance import Garbage, ManifestCheck, Unwanted, Verification
from relightflow.model.merged import Merged
from relightflow.report import escape
from relightflow.report.text import count, listing, money

_SHOWN = 10
"""Items that are named for one finding; `--json` has all."""


def verification(path: str, found: Verification) -> str:
    shared = f", {count(found.shared, 'job')} in the shared store" if found.shared else ""
    lines = [
        f"{escape.terminal(path)}: {count(found.blobs, 'stored result')} and "
        f"{count(found.files, 'delivered file')} checked{shared}, {_verdict(found)}"
    ]
    for items, one, many, meaning in (
        (found.damaged, "result is", "results are", "damaged and set aside; the next run downloads what the provider still has, and buys nothing again automatically"),
        (found.missing, "result is", "results are", "missing from the store"),
        (found.edited, "file was", "files were", "edited; 'run --overwrite' replaces them"),
        (found.shared_damaged, "job is", "jobs are", "damaged or incomplete in the shared store; no run uses them, and 'gc --delete' does not remove them"),
        (found.gone, "file is", "files are", "missing; the next run delivers them again"),
    ):  # fmt: skip
        if items:
            lines.append(f"! {count(len(items), one, many)} {meaning}")
            lines += listing(items[:_SHOWN], len(items))
    return "\n".join(lines)


def manifest_check(path: str, found: ManifestCheck) -> str:
    bad = len(found.changed) + len(found.gone)
    verdict = f"{count(bad, 'problem')} found" if bad else "no problems found"
    lines = [f"{escape.terminal(path)}: {count(found.files, 'file')} checked, {verdict}"]
    for paths, why in ((found.changed, "changed"), (found.gone, "missing")):
        if paths:
            lines.append(f"! {count(len(paths), 'file is', 'files are')} {why}")
            lines += listing([escape.terminal(one) for one in paths[:_SHOWN]], len(paths))
    return "\n".join(lines)


def unwanted(found: Unwanted, deleted: bool) -> str:
    """Files that could go, or went, and those that stay."""
    number = len(found.removable)
    verb = "removed" if deleted else "can be removed"
    what = f"{count(number, 'delivered image')} that no recipe describes any more {verb}"
    lines = [what if number else "every delivered image is one that a recipe describes"]
    lines += listing([_place(one) for one in found.removable[:_SHOWN]], number)
    for places, why in (
        (found.edited, "edited since; kept"),
        (found.only_copies, "without a result in the store; kept"),
    ):
        if places:
            lines.append(f"{count(len(places), 'file')} {why}")
            lines += listing([_place(one) for one in places[:_SHOWN]], len(places))
    lines += [f"! {escape.terminal(sink)}: this sink cannot remove files" for sink in found.fixed]
    if number and not deleted:
        lines.append("nothing was removed; --delete removes it")
    return "\n".join(lines)


def _place(place: tuple[str, str]) -> str:
    location, path = place
    return escape.terminal(f"{location.rstrip('/')}/{path}")


def merged(found: Merged) -> str:
    """What the shards came to, each that did not end well, and what was bought twice."""
    count_ = len(found.shards) + len(found.missing)
    given = len({shard for shard, _, _ in found.shards})
    lines = [f"{given:,} of {count(count_, 'shard')} merged: {found.added} added"]
    for shard, folder, code in found.shards:
        if code is not Exit.OK:
            lines.append(
                f"! shard {shard} ended with {int(code)} ({code.meaning}): {escape.terminal(folder)}"
            )
    if found.missing:
        named = ", ".join(map(str, found.missing))
        lines.append(
            f"! not given: shard {named}. What is there was merged; merge again with all of them. "
            "A run before that would buy a second time what is missing here"
        )
    if found.double:
        price = sum(one.price for one in found.double)
        lines.append(
            f"! {count(len(found.double), 'job was', 'jobs were')} bought more than once, for "
            f"{money(price)} together; all calls are kept in the ledger and count against the cap"
        )
        lines += listing([one.job_key[:16] for one in found.double[:_SHOWN]], len(found.double))
    return "\n".join(lines)


def _verdict(found: Verification) -> str:
    bad = len(found.damaged) + len(found.missing) + len(found.edited) + len(found.gone)
    bad += len(found.shared_damaged)
    return f"{count(bad, 'problem')} found" if bad else "no problems found"


def garbage(found: Garbage, deleted: bool) -> str:
    """What could go, or went."""
    done = "removed" if deleted else "can be removed"
    results = f"{count(len(found.blobs), 'result')} of {found.size / 1e6:,.1f} MB"
    lines = [f"{results} and {count(len(found.runs), 'old run')} {done}"]
    if found.finished:
        lines.append(
            f"! {count(len(found.finished), 'finished job')} among them, which cost "
            f"{money(found.price)}: if needed again, they must be bought again"
        )
        lines += listing([a.job_key[:16] for a in found.finished[:_SHOWN]], len(found.finished))
    if found.kept_paid:
        lines.append(
            f"{count(len(found.kept_paid), 'finished job')} are kept, because buying them again "
            "would cost "
            f"{money(found.kept_price)}; --paid includes them"
        )
    if found.shared:
        lines.append(f"{count(len(found.shared), 'object')} in the shared store {done}")
    if not deleted and (found.blobs or found.runs or found.shared):
        lines.append("nothing was removed; --delete removes it")
    return "\n".join(lines)
