from pathlib import Path

import pytest

from tests.cli.program import Relightflow
from tests.conftest import Program

from .conftest import Write


def test_a_finished_run_is_summarised_without_annotations(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    done = relightflow("report", "spring.yaml", "--format", "github", "--link", "https://x.test/a")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("### <code>spring</code>: 2 of 2 outputs in place")
    assert "[Results](https://x.test/a)" in done.stdout
    assert "::" not in done.stderr
    from_manifest = relightflow("report", "out", "--format", "github")
    assert from_manifest.stdout.startswith("### <code>spring</code>: 2 of 2 outputs in place\n")


def test_failures_are_commands_on_standard_error(
    program: Program, relightflow: Relightflow
) -> None:
    stage = program.stage
    (stage.folder / "in" / "broken.png").write_bytes(b"")
    program.run()
    env = {"PYTHONPATH": f"{Path(__file__).parents[3]}:{stage.folder / 'site'}"}
    done = relightflow("report", "recipe.yaml", "--format", "github", env=env)
    assert done.returncode == 0, done.stderr
    assert (
        "::error file=recipe.yaml,line=3,col=1,title=demo%3A 1 images not usable::" in done.stderr
    )
    assert "::" not in done.stdout


def test_an_invalid_recipe_is_annotated(relightflow: Relightflow, write: Write) -> None:
    write(more="surprise: 1\n")
    done = relightflow("report", "spring.yaml", "--format", "github")
    assert done.returncode == 2
    assert "::error file=spring.yaml,line=7,col=1,title=relightflow::" in done.stderr


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.test/a) [b](c", "nowhere"])
def test_a_link_that_is_none_is_refused(relightflow: Relightflow, write: Write, link: str) -> None:
    write()
    done = relightflow("report", "spring.yaml", "--format", "github", "--link", link)
    assert done.returncode == 2


def test_a_recipe_that_was_never_run_is_told(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("report", "spring.yaml", "--format", "github")
    assert (done.returncode, "no run of 'spring'" in done.stderr) == (2, True)
