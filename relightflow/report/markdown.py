"""Markdown that fits: tables cut by whole rows, so that a platform takes all of it.

A platform that gets more than it takes drops everything: GitHub answers 422 to a comment of more than
65,536 characters and drops a step summary of more than 1 MiB. Rows are given in order of importance of
their tables; what is left out is counted under each table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from relightflow.report.escape import html, markdown


@dataclass(frozen=True, slots=True)
class MarkdownBlock:
    """A piece of a page: text, and perhaps the rows of a table. All of it is escaped already."""

    before: str
    rows: Sequence[str] = ()
    """Each ends in a newline."""
    after: str = ""
    total: int = 0
    """How many rows there would be, where `rows` are the first of them only; 0: as many as given."""

    @property
    def fixed(self) -> str:
        """What is there whatever rows are."""
        return self.before + (_more(self._all) if self._all else "") + self.after

    @property
    def _all(self) -> int:
        return max(self.total, len(self.rows))

    def cut(self, kept: int) -> str:
        hidden = self._all - kept
        return "".join(
            (self.before, *self.rows[:kept], _more(hidden) if hidden else "", self.after)
        )


def _more(number: int) -> str:
    return f"\n… {number:,} more\n"


def fitted(blocks: Sequence[MarkdownBlock], most: int, size: Callable[[str], int] = len) -> str:
    """All blocks in at most `most`, as `size` measures it. Blocks that do not even fit without their
    rows are left out, the last first, and a line says how many."""
    kept = list(blocks)
    note = "\n… {} more sections\n"
    room = most - size(note.format(f"{len(blocks):,}"))
    while kept and sum(size(block.fixed) for block in kept) > room:
        del kept[-1]
    room -= sum(size(block.fixed) for block in kept)
    pieces = []
    for block in kept:
        sizes = list(accumulate(map(size, block.rows)))
        number = sum(taken <= room for taken in sizes)
        room -= sizes[number - 1] if number else 0
        pieces.append(block.cut(number))
    hidden = len(blocks) - len(kept)
    return "".join(pieces) + (note.format(f"{hidden:,}") if hidden else "")


def table(head: Sequence[str], numbers: int = 0) -> str:
    """The first lines of a table; the last `numbers` columns are aligned to the right."""
    texts = len(head) - numbers
    lines = (*["---"] * texts, *["--:"] * numbers)
    return f"\n| {' | '.join(head)} |\n|{'|'.join(lines)}|\n"


def row(*cells: object) -> str:
    """A row of cells that are escaped already, or need not be."""
    return f"| {' | '.join(map(str, cells))} |\n"


def code(text: str) -> str:
    """Untrusted `text` as it is. Only inside of code does GitHub make no mention of `@name` and no link of
    `#1`: it looks for them after the Markdown is read, so that a backslash does not help."""
    return f"<code>{markdown(text)}</code>" if text else ""


def folded(title: str) -> tuple[str, str]:
    """What stands before and after what is folded. `title`: untrusted."""
    return f"\n<details><summary>{html(title)}</summary>\n", "\n</details>\n"


def quoted(lines: Sequence[str]) -> str:
    """Untrusted lines as one quotation."""
    return "".join(f"> {code(line)}\n" if line else ">\n" for line in lines)
