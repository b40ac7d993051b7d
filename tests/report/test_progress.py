from dataclasses import replace

import pytest

from relightflow.model.failure import Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.model.values import FrozenMap
from relightflow.report import progress
from relightflow.report.progress import LineInterval, failure, line

AT_START = Progress(jobs=100, done=0, failed=0, in_flight=0, spent=0, cap=None)


def failed(name: str = "a.png") -> Outcome:
    image = Image(name, "a" * 64, 10, 4, 4, "image/png", 0, name)
    job = Job("f" * 64, image, "studio", "glow", FrozenMap(), 0)
    return Outcome(job, failure=Failure(FailureKind.REFUSED_CELL, f"refused: {name}"))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (AT_START, "0 of 100 done"),
        (
            Progress(256, 137, 2, 8, 6_850_000, 12_800_000, 0, 72.0),
            "137 of 256 done, 2 failed, 8 in flight, 6.85 of 12.80 USD, 1 min 12 s left",
        ),
        (
            Progress(256, 137, 0, 8, 0, None, 3, 72.0),
            "137 of 256 done, 8 in flight, 3 waiting for the rate limit, 1 min 12 s left",
        ),
    ],
)
def test_a_run_in_one_line(now: Progress, said: str) -> None:
    assert line(now) == said


def test_a_failure_names_image_job_and_bill_and_is_escaped(evil: str) -> None:
    said = failure(failed(evil))
    assert "\x1b" not in said
    assert "(ffffffffffffffff)" in said
    assert said.endswith("(billed: no)")


@pytest.mark.parametrize(
    ("done", "clock", "due"),
    [
        (9, 5.0, False),
        (10, 5.0, True),
        (10, 1.0, False),
        (0, 29.0, False),
        (0, 30.0, True),
        (100, 50.0, False),
    ],
)
def test_a_plain_line_is_due_each_tenth_or_after_a_while_and_not_at_the_end(
    done: int, clock: float, due: bool
) -> None:
    pace = LineInterval()
    pace.start(AT_START, 0.0)
    assert pace.due(replace(AT_START, done=done), clock) is due


def test_a_line_that_was_said_is_not_said_again() -> None:
    pace = LineInterval()
    pace.start(AT_START, 0.0)
    now = replace(AT_START, done=12)
    assert [pace.due(now, 5.0), pace.due(now, 10.0)] == [True, False]


def test_tenths_are_counted_from_the_tenth_that_was_passed() -> None:
    pace = LineInterval()
    pace.start(AT_START, 0.0)
    pace.due(replace(AT_START, done=19), 5.0)
    assert pace.due(replace(AT_START, done=20), 10.0)


def test_plain_progress_says_start_failures_and_notices() -> None:
    said: list[str] = []
    with progress.plain("spring", said.append) as watch:
        watch.on_start(lambda: AT_START)
        watch.on_notice("uploads cannot be revoked")
        watch.on_outcome(failed())
    assert said == [
        "spring: 0 of 100 done",
        "note: uploads cannot be revoked",
        "failed: a.png (ffffffffffffffff): refused: a.png (billed: no)",
    ]


def test_plain_progress_does_not_flood_a_log_with_failures() -> None:
    said: list[str] = []
    with progress.plain("spring", said.append) as watch:
        watch.on_start(lambda: AT_START)
        for _ in range(progress.FAILURES + 5):
            watch.on_outcome(failed())
    assert len(said) == 1 + progress.FAILURES
