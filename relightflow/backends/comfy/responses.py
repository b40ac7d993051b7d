"""What Comfy Router's answers mean: the step or failure that they stand for, and the bill.

Pure. An answer is the router's own only if it says its kind of error in a header, or is JSON with
`detail`; a 200 only if it has an image, or one of the router's headers, or a result. Anything else comes from something in between, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from relightflow.backends.comfy.hosts import ComfyHosts
from relightflow.backends.comfy.models import CREDITS_A_DOLLAR
from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.response import (
    KEPT,
    MOVED,
    Response,
    first_url,
    mapping,
    own_detail,
    seed_of,
)
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import Verdicts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.money import Micros
from relightflow.model.step import ResultKnown
from relightflow.model.values import FrozenMap

ERROR = "X-Comfy-Error-Type"
CREDITS = "X-Comfy-Credits-Used"
_REPLAYED = "Idempotent-Replayed"
_RESULTS = frozenset(("result", "output", "outputs", "images", "generated"))
"""Without one of the headers, what an answer must have to be a partner's."""
_PLACES = (
    "result",
    "data",
    "output",
    "outputs",
    "images",
    "image",
    "generated",
    "image_url",
    "url",
)
"""Where partners' answers have their image, from the outside in."""
_DEEPEST = 6
_NOT_ASKED = (
    "invalid_input", "model_not_found", "insufficient_credits", "unauthorized", "forbidden", "not_enabled",
    "rate_limited", "concurrency_limit_exceeded",
)  # fmt: skip
"""Kinds of errors before the model's maker was asked: unbilled. It bills what its maker bills."""
_POLICY = re.compile(r"policy|moderation|safety|nsfw", re.IGNORECASE)
_IMAGE = re.compile(r"\bimage\b", re.IGNORECASE)


def of_call(answer: Response, name: str) -> ResultKnown:
    """The result in the answer to a billable call. Raises CallFailed."""
    if answer.status != 200:
        raise CallFailed(_refusal(answer))
    found = mapping(answer.body)
    cost = micros_of(answer.headers.get(CREDITS))
    if url := image_url(found):
        return ResultKnown(name, url, cost, _facts(found))
    if not (
        any(name in answer.headers for name in (CREDITS, _REPLAYED, ERROR))
        or _RESULTS & found.keys()
    ):
        words = "a response 200 that is no result of Comfy Router's, perhaps from a proxy"
        raise CallFailed(VERDICTS.unknown(words, 200, answer.body))
    words = f"Comfy Router made the call, and its answer names no image{_reason(found)}; it was paid for"
    raise CallFailed(
        Failure(
            FailureKind.BAD_RESULT,
            words,
            Billed.YES,
            200,
            cost=cost,
            request_id=name,
            kept=answer.body[:KEPT],
        )
    )


def image_url(answer: Any, deepest: int = _DEEPEST) -> str:
    """The first URL in the known places of a partner's answer; empty where there is none."""
    if isinstance(answer, str):
        return first_url([answer])
    if not deepest:
        return ""
    if isinstance(answer, list):
        inside = answer[:10]
    elif isinstance(answer, Mapping):
        inside = [answer[place] for place in _PLACES if place in answer]
    else:
        return ""
    return next((url for one in inside if (url := image_url(one, deepest - 1))), "")


def micros_of(credits_: object) -> Micros | None:
    """Credits, of which so many make a dollar, in micro-dollars, rounded up; None where they are no
    amount."""
    if isinstance(credits_, bool) or not isinstance(credits_, str | int | float):
        return None
    try:
        amount = Decimal(str(credits_).strip())
        if not amount.is_finite() or not 0 <= amount < 1_000_000_000:
            return None
        micro = amount * 1_000_000 / CREDITS_A_DOLLAR
        return int(micro.to_integral_value(ROUND_CEILING))
    except (InvalidOperation, ValueError):
        return None


def estimated(answer: Response) -> Micros | None:
    """What the router says that a call costs; None where it does not say."""
    if answer.status != 200:
        return None
    found = mapping(answer.body)
    for place in (found, found.get("estimate"), found.get("cost")):
        if isinstance(place, dict):
            for name in ("credits", "estimated_credits", "total_credits"):
                if (cost := micros_of(place.get(name))) is not None:
                    return cost
    return None


def _own(answer: Response) -> bool:
    return bool(answer.headers.get(ERROR) or own_detail(answer))


VERDICTS = Verdicts(ComfyHosts(), _own)


def of_read(answer: Response, doing: str) -> Failure:
    """The failure of a free call: never billed, safe to repeat."""
    if answer.status in (401, 402, 403) and _own(answer):
        return _account(answer)
    return VERDICTS.unread(answer, doing)


def _names_its_kind(answer: Response) -> bool:
    """Whether a refusal of the input is the router's own. `detail` alone proves little: every problem of RFC 9457
    has it, and a gateway's 413 today would free a call that was made yesterday."""
    detail = mapping(answer.body).get("detail")
    rows = detail if isinstance(detail, list) else []
    listed = any(isinstance(row, dict) and "loc" in row and "msg" in row for row in rows)
    return bool(answer.headers.get(ERROR)) or (answer.status == 422 and listed)


def _refusal(answer: Response) -> Failure:
    status, kind = answer.status, answer.headers.get(ERROR, "")
    if status in MOVED or not _own(answer):
        return VERDICTS.foreign(answer)
    if status == 409:
        return _conflict(answer, kind)
    if status == 504 and kind == "deadline_exceeded":
        return _running("Comfy Router's deadline passed and the call goes on", answer)
    if _POLICY.search(kind) or (kind == "provider_error" and status < 500):
        did = "failed" if kind == "provider_error" else "refused the image or the text"
        words = (
            f"the model's maker {did}: {answer.text}. It counts as billed, because some makers charge "
            "for that"
        )
        return Failure(FailureKind.JOB_FAILED, words, Billed.YES, status)
    if kind and kind not in _NOT_ASKED:
        return VERDICTS.unknown(_plain(answer), status, answer.body)
    if status == 429:
        return VERDICTS.limited(answer, f" ({shown(kind, longest=60) or 'no reason'})")
    if status in (401, 402, 403):
        return _account(answer)
    if not _names_its_kind(answer):
        words = f"a response {status} that does not say its kind, perhaps from a proxy"
        return VERDICTS.unknown(words, status, answer.body)
    if status in (404, 410):
        words = (
            f"Comfy Router has no such model, or does not serve it to this account: {answer.text}"
        )
        return Failure(FailureKind.REFUSED_MODEL, words, status=status)
    if status in (400, 413, 422):
        return _refused_input(answer)
    return VERDICTS.unknown(_plain(answer), status, answer.body)


def _plain(answer: Response) -> str:
    kind = shown(answer.headers.get(ERROR, ""), longest=60) or "no reason"
    return f"Comfy Router answered {answer.status} ({kind})"


def _conflict(answer: Response, kind: str) -> Failure:
    if kind == "concurrency_limit_exceeded":
        return _running("the call of that key still runs", answer)
    words = f"the key of the call is used, and its result cannot be had again: {answer.text}"
    return Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 409)


def _running(words: str, answer: Response) -> Failure:
    after = reset_after(answer.headers, late=answer.late)
    words += "; it is collected under its key"
    return Failure(FailureKind.PENDING, words, Billed.UNKNOWN, answer.status, after)


def _account(answer: Response) -> Failure:
    kind = answer.headers.get(ERROR, "")
    what = {
        "insufficient_credits": "the credits are used up",
        "not_enabled": "this workspace may not use it",
    }.get(kind, "the key was refused")
    words = f"Comfy Router: {what}: {answer.text}. Check COMFY_API_KEY and the workspace"
    return Failure(FailureKind.ACCOUNT, words, status=answer.status)


def _refused_input(answer: Response) -> Failure:
    """Documented as before the model's maker is asked, and unbilled."""
    detail = mapping(answer.body).get("detail")
    rows = [row for row in detail if isinstance(row, dict)] if isinstance(detail, list) else []
    said = shown("; ".join(str(row.get("msg") or "") for row in rows)) or answer.text
    places = " ".join(str(part) for row in rows for part in _list(row.get("loc")))
    image = answer.status == 413 or _IMAGE.search(places)
    kind = FailureKind.BAD_IMAGE if image else FailureKind.REFUSED_CELL
    what = "image" if image else "parameters"
    return Failure(kind, f"Comfy Router refused the {what}: {said}", status=answer.status)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _reason(found: Mapping[str, Any]) -> str:
    said = found.get("error")
    text = said.get("message") if isinstance(said, dict) else said
    return f" ({shown(str(text))})" if text else ""


def _facts(found: Mapping[str, Any]) -> FrozenMap:
    result = found.get("result")
    return FrozenMap(seed_of(result if isinstance(result, dict) else found))
