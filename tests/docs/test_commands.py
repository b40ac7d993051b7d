"""The pages about commands and exit codes are what docs/commands.py writes from the program."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, str] = runpy.run_path(str(DOCS / "commands.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_program_says(name: str) -> None:
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == PAGES[name], (
        "run: python docs/commands.py"
    )


def test_no_page_is_left_of_a_command_that_is_gone() -> None:
    found = {f"commands/{path.name}" for path in (DOCS / "reference/commands").iterdir()}
    assert found == {name for name in PAGES if name.startswith("commands/")}
