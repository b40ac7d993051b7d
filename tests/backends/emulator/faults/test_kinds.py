from __future__ import annotations

from typing import Any, Literal

import pytest
from aiohttp import web

from relightflow.backends.emulator.faults.kinds import FAULT_KINDS, FaultKind, fault


async def _act(
    call: Any,
    *,
    code: int,
    seconds: float = 1.0,
    how: Literal["reset", "close"] = "reset",
    text: str | None = None,
    billed: bool = True,
    body: Any = None,
) -> web.StreamResponse:
    """Answer with
    a status.

    The second paragraph is for readers of the source.
    """
    raise NotImplementedError


KIND = FaultKind("status", ("submit",), _act)


def test_the_summary_is_the_first_paragraph_on_one_line() -> None:
    assert KIND.summary == "Answer with a status."


@pytest.mark.parametrize(
    "given",
    [
        {"code": 502},
        {"code": 502, "seconds": 2},
        {"code": 502, "seconds": 0.5, "how": "close", "billed": False},
        {"code": 502, "text": None},
        {"code": 502, "text": "busy", "body": [1]},
    ],
)
def test_options_of_their_types_are_taken(given: dict[str, Any]) -> None:
    assert KIND.problem(given) is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "code: must be given for status"),
        ({"code": "502"}, "code: '502' is not an integer"),
        ({"code": True}, "code: True is not an integer"),
        ({"code": 5.5}, "code: 5.5 is not an integer"),
        ({"code": 502, "seconds": True}, "seconds: True is not a number"),
        ({"code": 502, "how": "drop"}, "how: 'drop' is not one of reset, close"),
        ({"code": 502, "text": 3}, "text: 3 is not text or nothing"),
        ({"code": 502, "billed": 1}, "billed: 1 is not true or false"),
        (
            {"code": 502, "call": 1},
            "call: not an option of status; known: code, seconds, how, text, billed, body",
        ),
    ],
)
def test_what_cannot_be_an_option_is_told(given: dict[str, Any], problem: str) -> None:
    assert KIND.problem(given) == problem


def test_a_decorated_coroutine_is_in_the_table_and_stays_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FAULT_KINDS, "test-only", KIND)  # puts the table back afterwards
    assert fault("test-only", ("upload",))(_act) is _act
    assert FAULT_KINDS["test-only"] == FaultKind("test-only", ("upload",), _act)
