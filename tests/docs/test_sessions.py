"""What a page shows after a command is what the command prints, but for times."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.sessions import ROOT, comparable, differences, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_session_prints_what_the_page_shows(page: Path) -> None:
    assert not list(differences(page)), "run: python -m docs.sessions"


def test_the_readme_and_the_tutorial_show_sessions() -> None:
    assert {ROOT / "README.md", ROOT / "docs/tutorial/first-sweep.md"} <= {*pages()}


def test_a_wrong_count_is_a_difference_and_another_duration_is_none() -> None:
    assert comparable("demo: 3 jobs, 1.2 s\n") == comparable("demo: 3 jobs, 20 s\n")
    assert comparable("demo: 3 jobs, 1.2 s\n") != comparable("demo: 4 jobs, 1.2 s\n")
