"""The ledger beside the provider's bill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.maintenance.reconcile import compare, recorded
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import SERVER_TIME
from relightflow.model.failure import Billed
from relightflow.model.maintenance import Difference, Finding
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow
from tests.conftest import Stage
from tests.scripted_backend import PRICE


@pytest.fixture
def attempts(stage: Stage) -> list[Attempt]:
    """Two finished jobs."""
    stage.recipe([0, 1])
    stage.run()
    return recorded(stage.state_dir, "studio")


def bill(attempts: list[Attempt]) -> list[BillRow]:
    return [BillRow(a.request_id, a.model, "COMPLETED", PRICE, a.created) for a in attempts]


def test_a_bill_that_agrees_has_no_differences(attempts: list[Attempt]) -> None:
    found = compare(attempts, bill(attempts), 0.0, 1e11)
    assert (found.findings, found.others, found.recorded) == ((), (), 2 * PRICE)
    assert [request.cost for request in found.ours] == [PRICE, PRICE]


def test_requests_of_others_are_counted_apart_and_are_no_difference(
    attempts: list[Attempt],
) -> None:
    """Two outputs of one request are one request; what nobody billed is nobody's."""
    theirs = BillRow("other", "glow", "COMPLETED", 30, 5.0)
    failed = BillRow("failed", "glow", "FAILED", 0, 6.0)
    found = compare(attempts, [*bill(attempts), theirs, theirs, failed], 0.0, 1e11)
    assert not found.findings
    assert [(r.request_id, r.cost) for r in found.others] == [("other", 60)]
    assert len(found.ours) == 2


def test_what_differs_is_named(attempts: list[Attempt]) -> None:
    first, second = attempts
    rows = [replace(bill(attempts)[0], cost=70_000)]
    found = compare(attempts, rows, 0.0, 1e11).findings
    assert found == (
        Finding(
            Difference.COST_DIFFERS, first.request_id, first.model, PRICE, 70_000, first.created
        ),
        Finding(
            Difference.NOT_BILLED, second.request_id, second.model, PRICE, None, second.created
        ),
    )


def test_an_own_call_from_outside_the_period_is_not_somebody_elses(
    attempts: list[Attempt],
) -> None:
    """The local clock was a year off when it was made."""
    off = [replace(a, created=a.created - 3e7) for a in attempts]
    start = attempts[0].created - 60
    found = compare(off, bill(attempts), start, start + 120)
    assert (len(found.ours), found.others, found.recorded) == (2, (), 0)


def test_the_period_goes_by_the_provider_s_clock(attempts: list[Attempt]) -> None:
    start = attempts[0].created - 60
    told = FrozenMap({SERVER_TIME: start + 60})
    off = [replace(a, created=a.created - 3e7, details=told) for a in attempts]
    found = compare(off, [], start, start + 120)
    assert (found.recorded, len(found.findings)) == (2 * PRICE, 2)


def test_an_unknown_outcome_is_no_difference(attempts: list[Attempt]) -> None:
    held = [replace(a, billed=Billed.UNKNOWN) for a in attempts]
    assert not compare(held, bill(attempts), 0.0, 1e11).findings
