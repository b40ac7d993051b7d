"""What answers of every provider may stand for: above all, whether the call was billed."""

from __future__ import annotations

import pytest

from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.response import KEPT, MOVED, Response
from relightflow.backends.http.verdicts import Verdicts, still_open
from relightflow.model.failure import Billed, Failure, FailureKind

ACME = Verdicts(
    ProviderHosts("Acme", "https://acme.example", doubts="looked up"),
    lambda answer: answer.body.startswith(b"acme"),
    lambda answer: answer.body.decode().partition(": ")[2],
    "ACME_KEY",
)


@pytest.mark.parametrize("status", [200, 204, 301, 302, 303, 400, 404, 429, 500, 502, 504])
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


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, FailureKind.ACCOUNT, "Acme refused the key: no. Set ACME_KEY to a valid key"),
        (402, FailureKind.ACCOUNT, "Acme requires payment: no"),
        (403, FailureKind.ACCOUNT, "may not use the model"),
        (404, FailureKind.REFUSED_MODEL, "Acme has no model 'm' (404): no"),
        (429, FailureKind.RATE_LIMITED, "rate limit"),
        (307, FailureKind.REFUSED_SAFETY, "redirect"),
    ],
)
def test_a_refusal_in_its_own_words_is_not_billed(
    status: int, kind: FailureKind, words: str
) -> None:
    failure = ACME.of_submit(Response(status, body=b"acme: no"), "m")
    assert failure is not None
    assert (failure.kind, failure.billed, words in failure.message) == (kind, Billed.NO, True)
    strangers = ACME.of_submit(Response(status, body=b"<html>"), "m")
    assert strangers is not None
    assert (strangers.billed is Billed.NO) == (status == 307)


@pytest.mark.parametrize("status", [301, 302, 303, 400, 408, 409, 422, 500, 503])
def test_what_is_no_plain_refusal_is_the_providers_to_say(status: int) -> None:
    assert ACME.of_submit(Response(status, body=b"acme: no"), "m") is None
    silent = ACME.silent(Response(status, body=b"acme: no"))
    assert (silent.kind, silent.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)


def test_a_result_that_may_still_come_is_paid_for_and_asked_for_again() -> None:
    failure = ACME.without_image("id-12345", 5, b"{}")
    assert (failure.kind, failure.billed, failure.cost) == (FailureKind.PENDING, Billed.YES, 5)


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
