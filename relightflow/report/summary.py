"""What a run came to, in plain words: counts, money, every problem, and what to do next."""

from __future__ import annotations

from relightflow.errors import Exit
from relightflow.model.summary import Counts, Issue, Money, Summary
from relightflow.report import escape
from relightflow.report.text import (
    INDENT,
    REHEARSED,
    count,
    duration,
    facts,
    listing,
    money,
    paragraph,
    passed_over,
    relative_path,
    span,
)


def summary(found: Summary, columns: int | None = None, folder: str = "") -> str:
    """`columns`: of the terminal it is wrapped for; None: not wrapped.

    `folder`: where the reader is, so that what lies in it is shown by its short path.
    """
    name = escape.terminal(found.recipe)
    name += f", shard {found.shard}" if found.shard else ""
    head = f"{name}: {_headline(found.counts)}, {duration(found.seconds)}"
    lines = paragraph(head, columns, "", INDENT)
    lines += facts(
        (
            *(
                ("images", escape.terminal(relative_path(location, folder)))
                for location in found.locations
            ),
            (
                "manifest",
                escape.terminal(relative_path(found.delivered_manifest or found.manifest, folder)),
            ),
            ("sources", passed_over(found.passed_over)),
            ("selected", _selected(found.counts)),
            ("plan", found.plan_sha256[:16]),
            ("rehearsal", REHEARSED if found.rehearsed else ""),
            ("money", _money(found.money, found.rehearsed)),
            ("retries", f"{found.retries:,}" if found.retries else ""),
        ),
        columns,
    )
    for issue in found.issues:
        lines += _issue(issue, columns)
    if found.exit is not Exit.OK:
        lines.append(f"exit {int(found.exit)}: {found.exit.meaning}")
    if found.next_command:
        lines.append(f"next: {escape.terminal(found.next_command)}")
    return "\n".join(lines)


def _headline(counts: Counts) -> str:
    if not counts.jobs:
        return "no image found or selected; nothing to make"
    in_place = counts.made + counts.reused
    text = f"{in_place:,} of {count(counts.jobs, 'job')} in place"
    if counts.made and counts.reused:
        text += f" ({counts.made:,} made, {counts.reused:,} reused)"
    elif counts.reused:
        text += " (all reused)" if in_place == counts.jobs else " (reused)"
    parts = [text]
    for number, word in (
        (counts.failed, "failed"),
        (counts.unknown, "unknown"),
        (counts.pending, "to collect"),
        (counts.not_started, "not started"),
    ):
        if number:
            parts.append(f"{number:,} {word}")
    if counts.rejected:
        parts.append(f"{count(counts.rejected, 'image')} not usable")
    if counts.delivered and not counts.made:
        parts.append(f"{count(counts.delivered, 'file')} delivered")
    if counts.kept_edits:
        parts.append(f"{count(counts.kept_edits, 'edited file')} kept")
    return ", ".join(parts)


def _selected(counts: Counts) -> str:
    """Empty where the run was about the whole recipe."""
    if counts.planned <= counts.jobs:
        return ""
    return f"{counts.jobs:,} of the recipe's {count(counts.planned, 'job')}"


def _money(found: Money, rehearsed: bool) -> str:
    parts = []
    if found.in_flight:
        parts.append(f"{money(found.in_flight)} in flight")
    if found.unknown:
        parts.append(f"{money(found.unknown)} unknown")
    if found.cap is not None:
        source = f" ({found.cap_source})" if found.cap_source else ""
        word = f"budget {money(found.cap)} in {span(found.window)}" if found.window else None
        parts.append(f"{word or f'cap {money(found.cap)}'}{source}")
    if found.balance is not None:
        parts.append(f"balance {money(found.balance)} before the run")
    if not parts and not found.spent:
        return ""
    spent = f"{money(found.spent)} {'rehearsed' if rehearsed else 'spent'}"
    return ", ".join((spent, *parts))


def _issue(issue: Issue, columns: int | None) -> list[str]:
    times = f"{issue.count:,} × " if issue.count > 1 else ""
    said = paragraph(times + escape.terminal(issue.message), columns, INDENT)
    said[0] = "!" + said[0][1:]
    return [*said, *listing(issue.items, max(issue.count, len(issue.items)))]
