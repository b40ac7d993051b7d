"""What an answer that is no result means: which kind of failure, and above all whether it was billed.

Pure. Source: the provider's table of statuses, whose billed column says that only 200 is billed. The
table is the gateway's, so it holds only for the gateway's own answers: JSON with its documented
envelope. A page or another JSON comes from a proxy that may well have passed the call on, so that is an
unknown outcome, as is what the table leaves open (a v1 504).
"""

from __future__ import annotations

import re

from relightflow.backends.http.rate_limit_headers import RESET
from relightflow.backends.http.response import MOVED, Response, mapping
from relightflow.backends.http.verdicts import Verdicts
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.backends.segmind.models import nearest
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind


def from_gateway(answer: Response) -> bool:
    """Whether the answer bears the gateway's documented envelope: JSON whose `error` is text.

    A 429 may bear the gateway's own reset header instead.
    """
    said = mapping(answer.body).get("error")
    return bool(said and isinstance(said, str)) or (
        answer.status == 429 and RESET in answer.headers
    )


VERDICTS = Verdicts(SegmindHosts(), from_gateway, key_variable="SEGMIND_API_KEY")


def checked(answer: Response, doing: str) -> Response:
    """`answer` if it is a 200; raises `CallFailed` with the failure otherwise."""
    if answer.status != 200:
        raise CallFailed(of_read(answer, doing))
    return answer


def of_submit(answer: Response, api: str, model: str) -> Failure:
    """The failure of a billable call that was answered with anything but a usable 200."""
    status = answer.status
    said = VERDICTS.reason(answer)
    # a 405 is documented as a page, and no redirect is documented at all
    own_words = status in MOVED or status == 405
    own_words |= from_gateway(answer) and not 300 <= status < 400
    if not own_words:
        return VERDICTS.foreign(answer, said)
    return of_upload(answer, api, model)


def of_upload(answer: Response, api: str, model: str) -> Failure:
    """What a status of the table means, whoever said it: for a call that costs nothing."""
    status = answer.status
    said = VERDICTS.reason(answer)
    if 300 <= status < 400:
        return VERDICTS.moved(status)
    if status in (401, 402, 403):
        return _account(answer)
    if status == 406:
        return _not_acceptable(answer)
    if status == 429:
        return VERDICTS.limited(answer)
    if status in (404, 405, 410, 415):
        return _no_such_model(answer, model)
    if status in (400, 413):
        return _refused_input(answer)
    if status == 422:
        return _no(FailureKind.JOB_FAILED, f"Segmind ran the job and it failed{said}", status)
    if status in (500, 502, 503, 504) and not (status == 504 and api == "v1"):
        return _no(
            FailureKind.UNAVAILABLE, f"Segmind reported an internal error ({status}){said}", status
        )
    if 400 <= status < 500 and status != 408:
        return _no(FailureKind.REFUSED_CELL, f"Segmind refused the call ({status}){said}", status)
    return VERDICTS.silent(answer)


def of_read(answer: Response, doing: str) -> Failure:
    """The failure of a free call (poll, history, balance, upload): never billed, safe to repeat."""
    if answer.status in (401, 402, 403) and from_gateway(answer):
        return _account(answer)
    return VERDICTS.of_read(answer, doing)


def _account(answer: Response) -> Failure:
    text = answer.text
    if answer.status == 403:
        words = f"this account may not use the model: {text}. Request access, or use another model"
    elif answer.status == 401 and "missing" in text.lower():
        words = f"the key did not reach Segmind; a proxy may have removed it: {text}"
    else:
        return VERDICTS.account(answer)
    return _no(FailureKind.ACCOUNT, words, answer.status)


_CREDITS = re.compile(r"credit|balance|insufficient|top.?up", re.IGNORECASE)
_SPEND_LIMIT = re.compile(
    r"(spend|team|budget|monthly|usage).{0,40}(limit|cap|quota)|limit.{0,40}(spend|team|budget)",
    re.IGNORECASE,
)
_PARAMETER = re.compile(
    r"\b(invalid value|must be|one of|out of range|not (a )?valid|validation|parameter|field|"
    r"expected|should be|greater than|less than|enum|not allowed|unsupported value)\b|light_",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"\b(subject_)?image(_url|s)?\b|data.?ur[il]|\bpicture\b", re.IGNORECASE)


def _not_acceptable(answer: Response) -> Failure:
    """406 is four things; only the text tells them apart. Unknown words stop the spending."""
    text = answer.text
    if re.search(r"content.?type", text, re.IGNORECASE) and not _PARAMETER.search(text):
        words = f"Segmind did not receive JSON ({text}): a proxy may have changed the request"
        return _no(FailureKind.REFUSED_MODEL, words, 406)
    if _SPEND_LIMIT.search(text):
        words = f"the team's spend limit is reached: {text}. Raise it, then run again"
        return _no(FailureKind.ACCOUNT, words, 406)
    if _CREDITS.search(text):
        return _no(
            FailureKind.ACCOUNT, f"insufficient credits: {text}. Top up, then run again", 406
        )
    if _PARAMETER.search(text):
        return _refused_input(answer)
    words = (
        f"Segmind refused the call with an unknown message: {text or '(none)'}. Check the account"
    )
    return _no(FailureKind.ACCOUNT, words, 406)


def _refused_input(answer: Response) -> Failure:
    text = answer.text or f"status {answer.status}"
    image = answer.status == 413 or (_IMAGE.search(text) and "light_" not in text)
    kind, what = (
        (FailureKind.BAD_IMAGE, "image") if image else (FailureKind.REFUSED_CELL, "parameters")
    )
    return _no(kind, f"Segmind refused the {what}: {text}", answer.status)


def _no_such_model(answer: Response, model: str) -> Failure:
    said = f" ({answer.text})" if answer.text else ""
    near = nearest(model)
    hint = f"; did you mean '{near}'?" if near else ""
    reason = {
        404: f"Segmind has no model '{model}'{hint}",
        410: f"Segmind has retired the model '{model}'{hint}",
    }.get(answer.status, f"Segmind does not accept this kind of call for '{model}'")
    return _no(FailureKind.REFUSED_MODEL, f"{reason}: {answer.status}{said}", answer.status)


def _no(kind: FailureKind, words: str, status: int) -> Failure:
    return Failure(kind, words, Billed.NO, status)
