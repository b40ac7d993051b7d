"""Every fault of the page is proven by a test that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks.reliability.grid.faults import FAULTS as PLAYED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/faults.md").read_text(encoding="utf-8")
FAULTS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| fault", "| ---"))
]
"""Fault, what happens, exit codes, tests."""


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    found = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, found))


def test_the_page_has_rows() -> None:
    assert len(FAULTS) > 60
    assert len({fault for fault, *_ in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[0])
def test_a_fault_names_tests_that_exist(row: list[str]) -> None:
    _, happens, codes, tests = row
    assert happens
    assert re.fullmatch(r"–|\d+(, \d+)*", codes)
    named = re.findall(r"(rows: )?`([^`]+)`", tests)
    assert named
    for is_row, name in named:
        if is_row:
            assert name in {fault.name for fault in PLAYED}
        else:
            path, _, test = name.partition("::")
            assert f"test_{test}" in functions_of(path), name
