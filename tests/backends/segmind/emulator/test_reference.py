"""docs/reference/emulator.md against the code: it names every option and fault, and its plans work."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from relightflow.backends.emulator.config import ENVELOPES, IMAGES, RESET_FORMATS, V1_SHAPES
from relightflow.backends.emulator.faults.kinds import ANYWHERE, FAULT_KINDS, FaultKind
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.options import OPTIONS

PAGE = (Path(__file__).parents[4] / "docs/reference/emulator.md").read_text()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_in_the_page(option: Any) -> None:
    assert re.search(rf"`{option.name}[ `]", PAGE)


@pytest.mark.parametrize("kind", FAULT_KINDS.values(), ids=lambda kind: kind.name)
def test_every_fault_is_in_the_page_with_what_it_takes(kind: FaultKind) -> None:
    (row,) = re.findall(rf"^\|[^|]*`{kind.name}`[^|]*\|.*$", PAGE, re.MULTILINE)
    for parameter in inspect.signature(kind.act).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            assert f"`{parameter.name}`" in row
    if kind.phases != ANYWHERE and len(kind.phases) < 4:
        assert all(phase in row for phase in kind.phases) or kind.phases == ("submit",)


@pytest.mark.parametrize("word", [*V1_SHAPES, *ENVELOPES, *RESET_FORMATS, *IMAGES, *ANYWHERE])
def test_every_choice_is_in_the_page(word: Any) -> None:
    assert f"`{word}`" in PAGE


def test_plans_in_the_page_are_valid() -> None:
    plans = re.findall(r"```yaml\n(# fault plan\n.*?)```", PAGE, re.DOTALL)
    assert [len(parse(plan).rules) for plan in plans] == [5]
