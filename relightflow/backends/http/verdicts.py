"""Failures that answers of every provider can stand for, in words that name the provider. Pure.

Which answer is which of them is each provider's to say: above all, which are its own words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.response import KEPT, MOVED, Response
from relightflow.model.failure import Billed, Failure, FailureKind


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One provider's."""

    provider: str
    """Its name."""
    doubts: str
    """What becomes of a call without an answer, as half a sentence."""
    reset: Callable[[Response], float | None] = lambda answer: reset_after(
        answer.headers, late=answer.late
    )
    """Seconds until a limit ends, where the answer says so."""

    @classmethod
    def of(cls, hosts: ProviderHosts) -> Verdicts:
        return cls(hosts.provider, hosts.doubts)

    def unknown(self, words: str, status: int | None, body: bytes = b"") -> Failure:
        """A call that may have been taken."""
        words += f". It may have been billed: it is held and {self.doubts}"
        return Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN, status, kept=body[:KEPT])

    def foreign(self, answer: Response, said: str = "") -> Failure:
        """An answer to a billable call that is not in the provider's own words."""
        if answer.status in MOVED:
            return self.moved(answer.status)
        words = f"a response {answer.status} that is not {self.provider}'s own, perhaps from a proxy{said}"
        return self.unknown(words, answer.status, answer.body)

    def moved(self, status: int) -> Failure:
        """A redirect of a billable call: nothing was done with it."""
        words = (
            f"{self.provider}'s host answered with a redirect ({status}), which is never followed"
        )
        return Failure(FailureKind.REFUSED_SAFETY, words, status=status)

    def limited(self, answer: Response, why: str = "") -> Failure:
        """429: nothing was done."""
        words = f"{self.provider}'s rate limit is reached{why}; nothing was billed"
        return Failure(
            FailureKind.RATE_LIMITED,
            words,
            status=answer.status,
            retry_after=self.reset(answer),
        )

    def unread(self, answer: Response, doing: str, said: str = "") -> Failure:
        """A free call (poll, history, upload) without what was asked for: safe to repeat."""
        status = answer.status
        if 300 <= status < 400:
            words = (
                f"{self.provider} redirected us while {doing} ({status}), which is never followed"
            )
            return Failure(FailureKind.REFUSED_SAFETY, words, status=status)
        words = f"{self.provider} answered {status} while {doing}{said}"
        return Failure(FailureKind.UNAVAILABLE, words, status=status)


def still_open(failure: Failure, request_id: str) -> Failure:
    """A failed look at an accepted call: the call itself goes on and may be billed."""
    passing = failure.kind in (FailureKind.UNSENT, FailureKind.UNAVAILABLE)
    return replace(
        failure,
        kind=FailureKind.PENDING if passing else failure.kind,
        message=failure.message.replace("; this is not billed", "")
        + "; the call was accepted, the next run collects it",
        billed=Billed.UNKNOWN,
        request_id=request_id,
    )
