import io

import pytest
from rich.console import Console

from relightflow.model.failure import Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.model.values import FrozenMap
from relightflow.report import bar, escape
from relightflow.report.bar import Line

NOW = Progress(256, 137, 2, 8, 6_850_000, 12_800_000, 0, 72.0)


def drawn(name: str, columns: int, now: Progress = NOW) -> str:
    shown = Line(name)
    shown.snapshot = lambda: now
    console = Console(file=io.StringIO(), width=columns, color_system=None)
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
@pytest.mark.parametrize("name", ["spring", "a-very-long-recipe-name-that-takes-half-of-it"])
def test_the_bar_is_one_line_that_fits_the_terminal(name: str, columns: int) -> None:
    lines = drawn(name, columns).rstrip("\n").split("\n")
    assert len(lines) == 1
    assert escape.width(lines[0]) <= columns


def test_words_come_before_the_bar_where_there_is_little_room() -> None:
    assert drawn("spring", 75).startswith("spring 137/256, 2 failed, 8 in flight, 6.85")


def test_a_wide_terminal_shows_the_bar() -> None:
    assert "━" in drawn("spring", 90)


def test_a_failure_scrolls_by_escaped_and_without_markup() -> None:
    image = Image("[bold]\x1b.png", "a" * 64, 10, 4, 4, "image/png", 0, "")
    job = Job("f" * 64, image, "studio", "glow", FrozenMap(), 0)
    stream = io.StringIO()
    with bar.shown("spring", stream) as watch:
        watch.on_outcome(Outcome(job, failure=Failure(FailureKind.BUG, "[red]no[/red]")))
    said = stream.getvalue()
    assert "[bold]\\x1b.png" in said
    assert "[red]no[/red]" in said
