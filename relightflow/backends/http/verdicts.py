"""Failures that answers of every provider can stand for, in words that name the provider. Pure.

Which answer is which of them is each provider's to say: above all, which are its own words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.response import KEPT, MOVED, Response
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.money import Micros


def _reset(answer: Response) -> float | None:
    return reset_after(answer.headers, late=answer.late)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One provider's."""

    hosts: ProviderHosts
    own: Callable[[Response], bool]
    """Whether the provider wrote the answer, not a proxy."""
    said: Callable[[Response], str] = lambda answer: answer.text
    """Why, in its words, safe to show; empty where it does not say."""
    key_variable: str = ""
    """Where the operator sets the key."""
    reset: Callable[[Response], float | None] = _reset
    """Seconds until a limit ends, where the answer says so."""

    @property
    def provider(self) -> str:
        return self.hosts.provider

    def unknown(self, words: str, status: int | None, body: bytes = b"") -> Failure:
        """A call that may have been taken."""
        words += f". It may have been billed: it is held and {self.hosts.doubts}"
        return Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN, status, kept=body[:KEPT])

    def silent(self, answer: Response) -> Failure:
        """The provider's own answer, which does not tell whether it took a call."""
        words = f"{self.provider} answered {answer.status}, which does not tell whether the call was accepted"
        return self.unknown(words + self.reason(answer), answer.status, answer.body)

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
            FailureKind.RATE_LIMITED, words, status=answer.status, retry_after=self.reset(answer)
        )

    def account(self, answer: Response) -> Failure:
        """401, 402, 403: refused before anything was done."""
        said = self.said(answer) or "no reason given"
        words = {
            401: f"{self.provider} refused the key: {said}. Set {self.key_variable} to a valid key",
            402: f"{self.provider} requires payment: {said}",
        }.get(answer.status, f"this account may not use the model, or is locked: {said}")
        return Failure(FailureKind.ACCOUNT, words, status=answer.status)

    def of_submit(self, answer: Response, model: str) -> Failure | None:
        """What no provider means otherwise where a billable call was refused; None: it is for this one to say."""
        if answer.status in MOVED or not self.own(answer):
            return self.foreign(answer)
        if answer.status in (401, 402, 403):
            return self.account(answer)
        if answer.status == 429:
            return self.limited(answer)
        if answer.status in (404, 405, 410):
            words = f"{self.provider} has no model '{model}' ({answer.status}){self.reason(answer)}"
            return Failure(FailureKind.REFUSED_MODEL, words, status=answer.status)
        return None

    def of_read(self, answer: Response, doing: str) -> Failure:
        """The failure of a free call (poll, history, upload): never billed, safe to repeat."""
        if answer.status in (401, 402, 403) and self.own(answer):
            return self.account(answer)
        if answer.status == 429:
            return self.limited(answer)
        return self.unread(answer, doing, self.reason(answer))

    def checked(self, answer: Response, doing: str) -> Response:
        """The answer to a free call, if it is a 200. Raises `CallFailed`."""
        if answer.status != 200:
            raise CallFailed(self.of_read(answer, doing))
        return answer

    def unreadable(self, answer: Response, doing: str) -> Failure:
        """A free call's 200 in a form that nobody documented."""
        words = f"{self.provider} answered in an unknown format while {doing}"
        return Failure(FailureKind.UNAVAILABLE, words, status=answer.status)

    def unread(self, answer: Response, doing: str, said: str = "") -> Failure:
        """A free call without what was asked for: safe to repeat."""
        status = answer.status
        if 300 <= status < 400:
            words = (
                f"{self.provider} redirected us while {doing} ({status}), which is never followed"
            )
            return Failure(FailureKind.REFUSED_SAFETY, words, status=status)
        words = f"{self.provider} answered {status} while {doing}{said}"
        return Failure(FailureKind.UNAVAILABLE, words, status=status)

    def without_image(self, request_id: str, cost: Micros | None, body: bytes) -> Failure:
        """A call that is complete and names no result, which may still come."""
        words = f"{self.provider} completed the call but named no image (yet); it was paid for, and is polled again"
        return Failure(
            FailureKind.PENDING, words, Billed.YES, 200, cost=cost, request_id=request_id,
            kept=body[:KEPT],
        )  # fmt: skip

    def reason(self, answer: Response) -> str:
        """What it said, to follow a statement; empty where it said nothing."""
        said = self.said(answer)
        return f": {said}" if said else ""


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
