from __future__ import annotations

from collections.abc import AsyncIterator
from typing import get_args

from relightflow.model.step import FOLLOWS, Accepted, Completed, PaidUnfetched, ResultKnown, Step


async def _body() -> AsyncIterator[bytes]:
    yield b""


def test_every_step_but_the_last_leads_on_and_all_lead_to_the_image() -> None:
    assert {*FOLLOWS, Completed} == set(get_args(Step))
    assert all(Completed in after for after in FOLLOWS.values())
    assert not any(Accepted in after or PaidUnfetched in after for after in FOLLOWS.values())
    assert ResultKnown not in FOLLOWS[ResultKnown]


def test_an_open_answer_is_no_part_of_what_is_written_down() -> None:
    there, elsewhere = PaidUnfetched("r", 5, body=_body()), PaidUnfetched("r", 5)
    assert there == elsewhere
    assert repr(there) == repr(elsewhere)


def test_an_image_is_not_printed_into_a_log() -> None:
    assert repr(Completed(b"\x89PNG" * 1000)) == repr(Completed(b""))
