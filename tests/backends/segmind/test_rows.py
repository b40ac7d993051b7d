from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.segmind import rows
from relightflow.backends.segmind.listing import Page

RAW: dict[str, Any] = {
    "request_id": "request-0001",
    "model_name": "segmind-relighting",
    "model_status": "COMPLETED",
    "credits_deduction": 0.05,
    "request_body": {"image": "https://example.com/a"},
    "generation_url": "https://images.segmind.com/a.png",
    "model_created": "2026-11-23T12:00:00Z",
    "error": None,
}


@pytest.mark.parametrize(
    "answer",
    [
        [RAW],
        {"data": [RAW]},
        {"results": [RAW]},
        {"rows": [RAW]},
        {"data": {"items": [RAW]}},
    ],
)
def test_reads_every_envelope(answer: Any) -> None:
    assert rows.page(answer) == Page((RAW,))


@pytest.mark.parametrize(
    "answer",
    [
        {"items": [RAW], "total": 7},
        {"data": {"items": [RAW], "total": 7}},
        {"data": [RAW], "pagination": {"total_count": 7}},
    ],
)
def test_reads_how_many_rows_there_are_in_all(answer: Any) -> None:
    assert rows.page(answer) == Page((RAW,), 7)


@pytest.mark.parametrize("answer", [None, {}, {"lines": []}, "x", {"data": None}])
def test_an_envelope_that_is_not_known_is_not_an_empty_page(answer: Any) -> None:
    assert rows.page(answer) is None


@pytest.mark.parametrize("answer", [RAW, {"data": RAW}, [RAW], {"data": [RAW]}])
def test_reads_a_single_row(answer: Any) -> None:
    found = rows.single(answer)
    assert found is not None
    assert (found.request_id, found.cost, found.created) == ("request-0001", 50_000, 1795435200.0)


def test_inputs_may_come_as_text() -> None:
    assert rows.row(RAW | {"request_body": '{"a": 1}'}).inputs == {"a": 1}
    assert rows.row(RAW | {"request_body": "{"}).inputs is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
def test_any_raw_row_can_be_read(raw: Any) -> None:
    assert rows.row(dict.fromkeys(RAW, raw)).request_id in (raw, "")
