import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow import api
from relightflow.errors import Problem
from relightflow.model.failure import Billed, FailureKind
from relightflow.report import github
from relightflow.report import json as documents
from relightflow.report.github import RecordedRun
from tests.conftest import Stage
from tests.report.test_markdown import render
from tests.scripted_backend import fails

EVIL = "<img src=x>|\n::error::forged %0A@all</details>"


def recorded(stage: Stage) -> RecordedRun:
    summary = stage.run()
    recipe = api.load(stage.path, stage.registry)
    return RecordedRun("demo", Path(summary.manifest), documents.summary(summary), recipe)


def failing(stage: Stage, *numbers: int, kind: FailureKind = FailureKind.JOB_FAILED) -> RecordedRun:
    """A run of 2 images × 3 shades of which the jobs with these numbers fail."""
    billed = Billed.UNKNOWN if kind is FailureKind.UNKNOWN else Billed.NO

    def send(_: object, number: int) -> None:
        if number in numbers:
            raise fails(kind, billed)

    stage.image("b.png")
    stage.recipe(shades=[10, 20, 30], concurrency=1)
    stage.provider.on_submit = send
    return recorded(stage)


def written(tmp_path: Path, records: list[dict[str, Any]]) -> RecordedRun:
    path = tmp_path / "manifest.jsonl"
    head = {"record": "recipe", "recipe": {"name": "demo"}}
    path.write_text("".join(json.dumps(record) + "\n" for record in [head, *records]))
    return RecordedRun("demo", path)


def failed(n: int, message: str = "no") -> dict[str, Any]:
    return {
        "record": "output", "source": {"name": f"{n}.png"}, "cell": {"shade": n}, "repeat": 0,
        "status": "failed", "error": {"kind": "x", "message": message, "billed": "no"},
    }  # fmt: skip


def test_a_summary_says_what_came_of_it_and_what_it_cost(stage: Stage) -> None:
    text = github.step_summary([failing(stage, 1)], link="https://example.com/a")
    assert text.startswith(
        "### <code>demo</code>: 5 of 6 outputs in place, 1 failed, 0.25 USD spent"
    )
    assert "| spent | 0.25 |" in text
    assert "not billed" in text
    html = render(text)
    assert '<a href="https://example.com/a">Results</a>' in html
    assert "<code>in/a.png</code>" in html


def test_two_megabytes_of_failures_are_cut_by_rows(tmp_path: Path) -> None:
    run = written(tmp_path, [failed(n, "é" * 500) for n in range(4000)])
    text = github.step_summary([run])
    assert 800_000 < len(text.encode()) <= github.MOST_BYTES
    assert " more\n" in text
    assert text.endswith("</details>\n")
    assert all(line.endswith(" |") for line in text.splitlines() if line.startswith("| <code>"))


def test_hostile_text_is_no_markup_and_no_command(tmp_path: Path) -> None:
    record = failed(1, EVIL) | {"source": {"name": EVIL}, "cell": {"shade": EVIL}}
    run = replace(written(tmp_path, [record]), name="demo")
    html = render(github.step_summary([run]))
    assert "<img" not in html
    assert html.count("</details>") == 1
    (line,) = github.workflow_commands([run])
    assert "\n" not in line
    assert line.startswith("::error title=demo%3A 1 failed::")
    assert "%250A@all" in line


def test_an_annotation_stands_at_the_line_of_the_common_value(stage: Stage) -> None:
    run = failing(stage, 1, 4)
    assert run.recipe
    (line,) = github.workflow_commands([run], located=lambda _: "recipes/a,b.yaml")
    column = stage.path.read_text().splitlines()[4].index("20") + 1
    assert line.startswith(
        f"::error file=recipes/a%2Cb.yaml,line=5,col={column},title=demo%3A 2 failed::"
    )
    assert "not billed" in line


def test_failures_of_all_values_stand_at_the_matrix(stage: Stage) -> None:
    (line,) = github.workflow_commands([failing(stage, 0, 1)])
    column = stage.path.read_text().splitlines()[4].index("matrix") + 1
    assert f"line=5,col={column}," in line


def test_unknown_outcomes_are_errors_that_may_have_been_billed(stage: Stage) -> None:
    (line,) = github.workflow_commands([failing(stage, 2, kind=FailureKind.UNKNOWN)])
    assert line.startswith("::error ")
    assert "may have been billed" in line


def test_at_most_ten_of_a_kind_and_the_last_counts_the_others(tmp_path: Path) -> None:
    pending = [failed(n) | {"status": "missing", "error": {"message": f"w{n}"}} for n in range(11)]
    run = written(tmp_path, [*(failed(n, f"cause {n}") for n in range(240)), *pending])
    lines = list(github.workflow_commands([run]))
    errors = [line for line in lines if line.startswith("::error ")]
    warnings = [line for line in lines if line.startswith("::warning ")]
    assert (len(errors), len(warnings)) == (10, 10)
    assert errors[-1].endswith("::and 231 more errors: see the step's summary")
    assert warnings[-1].endswith("::and 2 more warnings: see the step's summary")


def test_problems_of_an_invalid_recipe_are_annotated_and_summarised() -> None:
    problem = Problem("a.yaml", 3, 7, "matrix", "is wrong")
    assert list(github.workflow_commands([], [problem])) == [
        "::error file=a.yaml,line=3,col=7,title=relightflow::is wrong"
    ]
    assert "nothing was sent" in github.step_summary([], [problem])


def test_a_reached_cap_is_told_at_the_cap(stage: Stage) -> None:
    stage.recipe(shades=[10, 20], concurrency=1, max_cost=0.06)
    lines = list(github.workflow_commands([recorded(stage)]))
    assert any(
        line.startswith("::error ") and "exit 7" in line and "line=7" in line for line in lines
    )
    assert any(line.startswith("::warning ") and "1 not started" in line for line in lines)
