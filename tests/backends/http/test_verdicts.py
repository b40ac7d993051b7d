"""What answers of every provider may stand for: above all, whether the call was billed."""

from __future__ import annotations

import pytest

from relightflow.backends.http.response import KEPT, MOVED, Response
from relightflow.backends.http.verdicts import Verdicts, still_open
from relightflow.model.failure import Billed, Failure, FailureKind

ACME = Verdicts("Acme", "looked up")


@pytest.mark.parametrize("status", [200, 204, 303, 400, 404, 429, 500, 502, 504])
def test_a_strangers_answer_says_nothing_of_the_call(status: int) -> None:
    failure = ACME.foreign(Response(status, body=b"x" * (KEPT + 9)))
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    assert "not Acme's own" in failure.message
    assert "held and looked up" in failure.message
    assert len(failure.kept) == KEPT


@pytest.mark.parametrize("status", MOVED)
def test_a_redirect_before_anything_was_done_is_refused_and_not_billed(status: int) -> None:
    failure = ACME.foreign(Response(status))
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_SAFETY, Billed.NO)


def test_a_limit_ends_when_the_answer_says_so() -> None:
    failure = ACME.limited(Response(429, {"Retry-After": "7"}))
    assert (failure.kind, failure.billed) == (FailureKind.RATE_LIMITED, Billed.NO)
    assert failure.retry_after == 7.0
    assert ACME.limited(Response(429)).retry_after is None


def test_a_free_call_is_repeated_unless_it_leads_elsewhere() -> None:
    assert ACME.unread(Response(502), "polling").kind is FailureKind.UNAVAILABLE
    assert ACME.unread(Response(303), "polling").kind is FailureKind.REFUSED_SAFETY


@pytest.mark.parametrize(
    ("kind", "then"),
    [
        (FailureKind.UNSENT, FailureKind.PENDING),
        (FailureKind.UNAVAILABLE, FailureKind.PENDING),
        (FailureKind.RATE_LIMITED, FailureKind.RATE_LIMITED),
        (FailureKind.ACCOUNT, FailureKind.ACCOUNT),
    ],
)
def test_a_look_that_fails_frees_no_accepted_call(kind: FailureKind, then: FailureKind) -> None:
    failure = still_open(Failure(kind, "polling: no; this is not billed"), "id-12345")
    assert (failure.kind, failure.billed) == (then, Billed.UNKNOWN)
    assert failure.request_id == "id-12345"
    assert "not billed" not in failure.message
