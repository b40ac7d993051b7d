"""The progress bar: one line that fits the terminal, drawn by rich. The only user of rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from relightflow.core.redact import known
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.report import escape
from relightflow.report.progress import FAILURES, failure, failures, short

_NARROWEST, _WIDEST = 8, 40
"""Columns of the bar itself."""


class Line:
    """`name ━━━━━━━━╸━━━━  137/256, …`: the bar takes what the words leave."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.snapshot: Callable[[], Progress] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.snapshot is None:
            return
        now = self.snapshot()
        room = options.max_width
        words = short(now)
        name = escape.fit(self._name, max(room // 5, 8))
        left = room - escape.width(name) - escape.width(words) - 4
        yield Text(name, style="bold", end=" ")
        if left >= _NARROWEST:
            columns = min(left, _WIDEST)
            ended = now.done + now.failed
            drawn = ProgressBar(
                total=max(now.jobs, 1),
                completed=ended,
                width=columns,
                complete_style="cyan",
                finished_style="green",
            )
            yield from console.render(drawn, options.update(width=columns))
            yield Segment("  ")
        words = escape.fit(words, max(room - escape.width(name) - 1, 0)) if left < 0 else words
        yield _red_where_failed(Text(words, end=""), failures(now))


def _red_where_failed(text: Text, words: str) -> Text:
    if words:
        text.highlight_words([words], style="red")
    return text


@contextmanager
def shown(name: str, stream: TextIO) -> Iterator[RunCallbacks]:
    """A bar at the bottom of the terminal `stream`, of a run that is called `name`; failures and
    notices scroll by above it. Leaves the terminal as it was."""
    console = Console(file=stream, markup=False, highlight=False, emoji=False)
    drawn = Line(escape.terminal(name))
    live = Live(
        drawn,
        console=console,
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    told = 0

    def on_start(snapshot: Callable[[], Progress]) -> None:
        drawn.snapshot = snapshot

    def on_outcome(outcome: Outcome) -> None:
        nonlocal told
        if outcome.failure and (told := told + 1) <= FAILURES:
            console.print(Text.assemble(("failed: ", "red"), escape.log(known(failure(outcome)))))

    def on_notice(text: str) -> None:
        console.print(Text(escape.log(known(f"note: {escape.terminal(text)}"))))

    with live:
        console.show_cursor(True)  # a process that is killed cannot give the cursor back
        yield RunCallbacks(on_start, on_outcome, on_notice)
