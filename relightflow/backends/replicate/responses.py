"""What Replicate's answers mean: the state of a prediction, the failure that stands for it, and the bill.

Pure. Source: Replicate's HTTP reference and its pages on the life of a prediction, on billing, rate limits
and data retention. A prediction is billed for the time it ran, so one that failed or was canceled is billed
too as far as it ran; only one that was aborted, before it started, certainly is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.response import Response, first_url, mapping, own_detail
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import Verdicts
from relightflow.backends.replicate import models
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.table import row_of
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.money import Micros

_RESET = re.compile(
    r"(?:resets|available) in ~?\s*(\d{1,6}(?:\.\d{1,6})?)(?![\d.]\d)\s*(ms|m)?", re.IGNORECASE
)
_UNIT = {"ms": 0.001, "m": 60.0, None: 1.0}
_VERSION = re.compile(r"\bversion\b|\bmodel\b|not permitted", re.IGNORECASE)
_LONGEST = 4000


def reset(answer: Response) -> float | None:
    """Seconds until a limit ends: by a header, else by the text, where Replicate says it."""
    if (told := reset_after(answer.headers, late=answer.late)) is not None:
        return told
    found = _RESET.search(str(mapping(answer.body).get("detail"))[:_LONGEST])
    unit = (found[2] or "").lower() or None if found else None
    return float(found[1]) * _UNIT[unit] if found else None


def own_words(answer: Response) -> bool:
    """Whether Replicate wrote the answer: JSON with `detail`, and the answer's own status where it gives
    one."""
    detail = own_detail(answer)
    same = mapping(answer.body).get("status", answer.status) == answer.status
    return bool(detail) and isinstance(detail, str) and same


def detail(answer: Response) -> str:
    """Why, in Replicate's words, safe to show; empty where it does not say."""
    said = mapping(answer.body)
    words = [said.get(name) for name in ("title", "detail")]
    return shown(": ".join(word for word in words if isinstance(word, str) and word))


VERDICTS = Verdicts(ReplicateHosts(), own_words, detail, "REPLICATE_API_TOKEN", reset)


def of_submit(answer: Response, model: str, image_field: str) -> Failure:
    """The failure of a billable call that was answered with anything but a prediction."""
    if shared := VERDICTS.of_submit(answer, model):
        return shared
    if answer.status in (400, 413, 415, 422):
        return _refused_input(answer, model, image_field)
    return VERDICTS.silent(answer)


def _refused_input(answer: Response, model: str, image_field: str) -> Failure:
    """Refused before anything ran: unbilled."""
    said, title = detail(answer), str(mapping(answer.body).get("title") or "")
    fields = mapping(answer.body).get("invalid_fields")
    places = " ".join(
        str(one.get("field", "")) for one in fields or () if isinstance(one, dict)
    ) if isinstance(fields, list) else ""  # fmt: skip
    if _VERSION.search(title) or (answer.status == 422 and not fields and _VERSION.search(said)):
        words = f"Replicate refused the model '{model}': {said}"
        return Failure(FailureKind.REFUSED_MODEL, words, status=answer.status)
    image = answer.status == 413 or image_field in f"{places} {said}"
    kind = FailureKind.BAD_IMAGE if image else FailureKind.REFUSED_CELL
    what = "image" if image else "parameters"
    return Failure(kind, f"Replicate refused the {what}: {said}", status=answer.status)


def cost_of(found: Mapping[str, Any]) -> Micros | None:
    """What a prediction cost, by the seconds that it ran; None where that cannot be told."""
    row = row_of(models.TABLE, models.named(found.get("model"), found.get("version")))
    metrics = found.get("metrics")
    seconds = metrics.get("predict_time") if isinstance(metrics, Mapping) else None
    return row.cost(seconds) if row else None


def image_url(found: Mapping[str, Any]) -> str:
    """The first URL in a prediction's output; empty where there is none."""
    output = found.get("output")
    return first_url(output if isinstance(output, list) else [output])


def removed(found: Mapping[str, Any]) -> bool:
    """Whether Replicate says that it has deleted inputs and results."""
    return found.get("data_removed") is True


LOST = "Replicate has deleted the result, as it does after an hour. It was paid for and is lost"


def lost(request_id: str, cost: Micros | None) -> Failure:
    """A prediction that succeeded and whose result is certainly gone."""
    return Failure(FailureKind.BAD_RESULT, LOST, Billed.YES, cost=cost, request_id=request_id)


def why(found: Mapping[str, Any]) -> str:
    error = found.get("error")
    return shown(str(error)) if error else "no reason given"


def of_ended(found: Mapping[str, Any], status: str, request_id: str) -> Failure:
    """A prediction that ended without a result, on Replicate's own word."""
    if status == "aborted":
        words = (
            f"Replicate did not start the call within {models.DEADLINE // 60} minutes and gave it up; "
            "not billed"
        )
        return Failure(FailureKind.JOB_FAILED, words, request_id=request_id)
    did = {"canceled": "canceled the call, perhaps because of its deadline"}.get(
        status, "ran the call and it failed"
    )
    words = f"Replicate {did}: {why(found)}. The time that it ran is billed, so it is not bought again automatically"
    return Failure(
        FailureKind.JOB_FAILED, words, Billed.YES, cost=cost_of(found), request_id=request_id
    )
