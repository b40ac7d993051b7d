from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import Billed
from relightflow.model.maintenance import (
    BilledRequest,
    Difference,
    Finding,
    Rebuilt,
    Reconciliation,
    Resolution,
)
from relightflow.model.values import FrozenMap
from relightflow.report import resolution as report

UNKNOWN = Attempt(
    1, "0123456789abcdef" * 4, "r", State.UNKNOWN, "studio", "glow", "0" * 64, FrozenMap(), 0,
    50_000, None, Billed.UNKNOWN, "", "https://secret/?sig", "", "no answer", 1_700_000_000.0, 0.0,
)  # fmt: skip
TIME = replace(UNKNOWN, id=2, details=Undecided(Needs.TIME, "it lags", 1_800_000_000.0).note)


def test_nothing_to_decide_is_said() -> None:
    assert report.resolution(Resolution(())) == "no call is waiting for a decision"


def test_what_waits_is_listed_with_its_price_its_time_and_why() -> None:
    said = report.resolution(Resolution((UNKNOWN, replace(UNKNOWN, state=State.PAID_UNFETCHED))))
    assert "2 calls are waiting for a decision, up to 0.10 USD:" in said
    row = next(text for text in said.splitlines() if "0123456789abcdef" in text)
    for word in ("unknown", "0.05 USD", "2023-11-14 22:13 UTC", "the next run", "no answer"):
        assert word in row
    assert "paid, not fetched" in said
    assert "secret" not in said


def test_what_the_records_will_settle_is_not_asked_of_a_person() -> None:
    said = report.resolution(Resolution((TIME,)))
    assert "1 unknown outcome, up to 0.05 USD, to be settled by the provider's records:" in said
    assert said.endswith("no other call waits for a decision")


def test_only_so_many_are_listed_and_the_rest_is_counted() -> None:
    said = report.resolution(Resolution((UNKNOWN,) * 1_250))
    assert said.count("0123456789abcdef") == 50
    assert said.endswith("and 1,200 more")


def test_what_was_done_comes_first() -> None:
    found = Resolution((), (UNKNOWN,), (UNKNOWN,), adopted=2, released=1)
    lines = report.resolution(found).splitlines()
    assert lines[0].startswith("2 calls found in the provider's records")
    assert lines[1:3] == ["1 call not billed, according to the records", "1 call decided"]
    assert lines[3] == "1 call skipped: 0.05 USD more would exceed the cap"


def test_a_providers_words_cannot_touch_the_terminal() -> None:
    evil = replace(UNKNOWN, reason="\x1b[2J\u202egone")
    assert "\x1b" not in report.resolution(Resolution((evil,)))
    finding = Finding(Difference.NOT_BILLED, "\x1b[2J", "\x1b[2J", 1, None, 0.0)
    assert "\x1b" not in report.reconciliation(bill(findings=(finding,), backends=("\x1b[2J",)))


def bill(**facts: Any) -> Reconciliation:
    given: dict[str, Any] = {
        "backends": ("studio",), "since": 0.0, "until": 86_400.0, "ours": (), "others": (),
        "recorded": 0, "findings": (), "resolution": Resolution(()),
    }  # fmt: skip
    return Reconciliation(**(given | facts))


def test_a_bill_says_its_period_both_sums_and_each_difference() -> None:
    findings = (
        Finding(Difference.COST_DIFFERS, "r1", "glow", 50_000, 60_000, 0.0),
        Finding(Difference.NOT_BILLED, "r2", "glow", 50_000, None, 0.0),
    )
    ours = (BilledRequest("r1", "glow", 60_000, 0.0),)
    said = report.reconciliation(bill(ours=ours, recorded=100_000, findings=findings))
    assert said.startswith("studio, from 1970-01-01 00:00 UTC to 1970-01-02 00:00 UTC\n")
    for words in ("0.06 USD for 1 request", "0.10 USD", "the cost differs", "but not billed"):
        assert words in said
    row = next(text for text in said.splitlines() if "r2" in text)
    assert " - " in row


def test_a_bill_that_agrees_has_no_difference() -> None:
    assert "none" in report.reconciliation(bill())


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Rebuilt(3, 0, 0, 0), "3 results restored, nothing bought"),
        (Rebuilt(0, 2, 0, 0), "2 calls"),
        (Rebuilt(0, 0, 0, 1), "1 image"),
        (Rebuilt(0, 0, 0, 0, 2), "2 lines of the index, skipped: compare with 'relightflow rec"),
    ],
)
def test_a_rebuilt_ledger_says_what_came_back_and_what_did_not(found: Rebuilt, words: str) -> None:
    assert words in report.rebuilt(found)


def test_documents_have_all_of_them_and_no_url() -> None:
    document = report.resolution_document(Resolution((TIME,) * 60))
    assert (len(document["held"]), document["held_usd"]) == (60, 3.0)
    held = document["held"][0]
    assert (held["waits_for"], held["settled_from"]) == ("time", 1_800_000_000.0)
    assert (held["request_id"], held["price_usd"]) == (None, 0.05)
    assert "secret" not in str(document)
    others = report.reconciliation_document(bill(others=(BilledRequest("x", "m", 1, 2.0),)))
    assert others["others"] == [
        {"request_id": "x", "model": "m", "billed_usd": 0.000001, "when": 2.0}
    ]
