from __future__ import annotations

import pickle

from relightflow.errors import GRAVEST_FIRST, Exit
from relightflow.model.failure import EXIT_OF, Billed, CallFailed, Failure, FailureKind


def test_every_kind_ends_with_a_code_that_is_not_success() -> None:
    assert EXIT_OF.keys() == set(FailureKind)
    assert set(EXIT_OF.values()) <= set(GRAVEST_FIRST)
    assert Exit.OK not in EXIT_OF.values()


def test_what_may_have_been_billed_and_what_stops_a_run_have_codes_of_their_own() -> None:
    def kinds(code: Exit) -> set[FailureKind]:
        return {kind for kind, of in EXIT_OF.items() if of is code}

    assert kinds(Exit.UNKNOWN) == {FailureKind.UNKNOWN, FailureKind.EXPIRED}
    assert kinds(Exit.ACCOUNT) == {FailureKind.ACCOUNT}
    assert kinds(Exit.REFUSED) == {FailureKind.REFUSED_SAFETY}
    assert kinds(Exit.DAMAGED) == {FailureKind.TOO_LARGE, FailureKind.DAMAGED}


def test_the_words_that_ledgers_hold_do_not_change() -> None:
    assert [str(billed) for billed in Billed] == ["no", "yes", "unknown"]


def test_a_call_that_failed_says_its_failures_message() -> None:
    failure = Failure(FailureKind.JOB_FAILED, "the job failed")
    raised = CallFailed(failure)
    assert str(raised) == "the job failed"
    assert raised.failure is failure
    assert failure.billed is Billed.NO
    assert pickle.loads(pickle.dumps(failure)) == failure
