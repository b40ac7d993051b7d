"""What Runware's answers mean: the row of our task, the step or failure that it stands for, and the bill.

Pure. An answer is the provider's own only if it is JSON with `data` or `errors`; rows are matched by the
task's UUID, whatever their order. Anything else comes from something in between, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relightflow.backends.http.response import Response, amount, first_url, mapping, seed_of
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import Verdicts
from relightflow.backends.runware.hosts import RunwareHosts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap

_CONFLICT = "conflictTaskUUID"
"""The name is used: a task of that name was accepted earlier."""
_ACCOUNT = re.compile(
    r"api.?key|unauthori|forbidden|permission|credit|balance|payment|billing", re.IGNORECASE
)
_LIMIT = re.compile(r"rate.?limit|too.?many|concurren", re.IGNORECASE)
_REFUSED = re.compile(
    r"^(invalid|missing|unsupported|duplicate)(?!\w*(provider|content|policy|safety|moderat|error))"
    r"|^(value|array|string)\w*(range|length)",
    re.IGNORECASE,
)
"""Codes that refuse a task before it runs. `invalidProviderContent` is none of them: the model's maker says it
of what it was asked for and of what it made."""
_MAKERS = re.compile(r"provider|content|policy|safety|moderat", re.IGNORECASE)
"""Codes that the model's maker may have given, of its own limits and accounts."""
_LOOKS = ("getResponse", "getTaskDetails")
_GONE = re.compile(r"not.?found|unknown.?task|invalid.?task.?uuid|no.?such", re.IGNORECASE)
_IMAGE = re.compile(r"image|inputs?\b", re.IGNORECASE)


def own(answer: Response) -> bool:
    """Whether the answer is the provider's own."""
    found = mapping(answer.body)
    return any(isinstance(found.get(name), list) for name in ("data", "errors"))


VERDICTS = Verdicts(RunwareHosts(), own)


def rows(found: Any, name: str, uuid: str) -> list[dict[str, Any]]:
    """The rows under `name` that are about the task `uuid`; of errors also those about no task."""
    listed = found.get(name) if isinstance(found, Mapping) else None
    mine = [row for row in listed or () if isinstance(row, dict)]
    wanted = ("", uuid) if name == "errors" else (uuid,)
    return [row for row in mine if str(row.get("taskUUID") or "").lower() in wanted]


def of_submit(answer: Response, uuid: str) -> Accepted | ResultKnown:
    """The step that an answer to the billable call stands for. Raises CallFailed."""
    if not own(answer):
        raise CallFailed(VERDICTS.foreign(answer))
    found = mapping(answer.body)
    if known := result(rows(found, "data", uuid), uuid):
        return known
    if rows(found, "data", uuid):
        return Accepted(uuid)
    errors = rows(found, "errors", uuid)
    if not errors:
        words = "Runware's answer does not mention the task"
        raise CallFailed(VERDICTS.unknown(words, answer.status, answer.body))
    if any(row.get("code") == _CONFLICT and row.get("taskUUID") for row in errors):
        return Accepted(uuid)
    raise CallFailed(_refusal(next((r for r in errors if r.get("taskUUID")), errors[0]), answer))


def result(data: list[dict[str, Any]], uuid: str) -> ResultKnown | None:
    """The finished result among a task's rows; the first, where there are several alike."""
    for row in data:
        if url := first_url([row.get("imageURL")]):
            return ResultKnown(uuid, url, amount(row.get("cost")), FrozenMap(seed_of(row)))
    return None


def of_poll(answer: Response, uuid: str) -> ResultKnown | Accepted | Failure | None:
    """What became of an accepted task; `Accepted`: it still runs; None: the provider knows no such active task.
    Raises CallFailed where the answer does not say."""
    if answer.status in (401, 402, 403, 429) or not own(answer):
        raise CallFailed(of_read(answer, "polling a task"))
    found = mapping(answer.body)
    data, errors = rows(found, "data", uuid), rows(found, "errors", uuid)
    if known := result(data, uuid):
        return known
    failed = next((row for row in (*data, *errors) if _has_failed(row, answer)), None)
    if failed is not None:
        return _job_failed(failed, uuid)
    if any(_GONE.search(str(row.get("code") or "")) for row in errors) or not (data or errors):
        return None
    if errors:
        raise CallFailed(of_read(answer, "polling a task"))
    return Accepted(uuid)


def of_details(answer: Response, uuid: str) -> Accepted | ResultKnown | Failure | None:
    """What the task's own record says; None: there is none. Raises CallFailed where it cannot be read."""
    found = mapping(answer.body)
    errors = found.get("errors") or []
    gone = isinstance(errors, list) and all(
        isinstance(row, dict) and _GONE.search(str(row.get("code") or "")) for row in errors
    )
    mine = rows(found, "data", uuid)
    if not own(answer) or answer.status in (401, 402, 403, 429) or answer.status >= 500:
        raise CallFailed(of_read(answer, "looking a task up"))
    if not mine and (found.get("data") or not gone):  # about another task, or no word about any
        raise CallFailed(of_read(answer, "looking a task up"))
    for row in mine:
        said = row.get("response")
        if known := result(rows(said, "data", uuid), uuid):
            return known
        failed = next((e for e in rows(said, "errors", uuid) if e.get("code") != _CONFLICT), None)
        if failed is not None:
            return _job_failed(failed, uuid)
        return Accepted(uuid)
    return None


def of_read(answer: Response, doing: str) -> Failure:
    """The failure of a free call: never billed, safe to repeat."""
    errors = mapping(answer.body).get("errors")
    for row in errors if isinstance(errors, list) else ():
        if isinstance(row, dict) and (failure := _of_account(row, answer)) is not None:
            return failure
    if answer.status in (401, 402, 403) and own(answer):
        return _no(
            FailureKind.ACCOUNT, f"Runware refused the account: {answer.text}", answer.status
        )
    if answer.status == 429:
        return VERDICTS.limited(answer)
    words = f"Runware answered {answer.status} while {doing}"
    return _no(FailureKind.UNAVAILABLE, words, answer.status)


def _refusal(row: Mapping[str, Any], answer: Response) -> Failure:
    """A task that was refused: by whom, and whether it may have run. What does not name the task may be a
    gateway's word about its own part, of a task that ran."""
    code, said = str(row.get("code") or ""), _said(row)
    doubtful = answer.status >= 500 or _MAKERS.search(code)
    if not doubtful and (failure := _of_account(row, answer)) is not None:
        return failure
    if not row.get("taskUUID"):
        return VERDICTS.unknown(
            f"Runware reported '{said}' without naming the task", answer.status, answer.body
        )
    if answer.status == 503:
        return _no(FailureKind.UNAVAILABLE, f"Runware is overloaded: {said}", 503)
    if answer.status >= 500 or not _REFUSED.search(code):
        # a time-out of the provider behind it, or a code that nobody documented
        return VERDICTS.unknown(
            f"Runware reported '{said}' and does not say whether the task ran",
            answer.status,
            answer.body,
        )
    if re.search(r"model", f"{code} {row.get('parameter')}", re.IGNORECASE):
        return _no(FailureKind.REFUSED_MODEL, f"Runware refused the model: {said}", answer.status)
    image = _IMAGE.search(str(row.get("parameter") or code))
    kind = FailureKind.BAD_IMAGE if image else FailureKind.REFUSED_CELL
    what = "image" if image else "parameters"
    return _no(kind, f"Runware refused the {what}: {said}", answer.status)


def _of_account(row: Mapping[str, Any], answer: Response) -> Failure | None:
    """A refusal that has nothing to do with the task."""
    code = str(row.get("code") or "")
    if answer.status == 429 or _LIMIT.search(code):
        return VERDICTS.limited(answer)
    if answer.status in (401, 402, 403) or _ACCOUNT.search(code):
        words = f"Runware refused the account: {_said(row)}. Check RUNWARE_API_KEY and the balance"
        return _no(FailureKind.ACCOUNT, words, answer.status)
    return None


def _has_failed(row: Mapping[str, Any], answer: Response) -> bool:
    """Whether a row says that the task failed, and not that this look at it did."""
    code = str(row.get("code") or "")
    if not row.get("taskUUID") or row.get("taskType") in _LOOKS:
        return False
    if answer.status >= 500 or _of_account(row, answer):
        return False
    return row.get("status") == "error" or (
        bool(code) and not _GONE.search(code) and code != _CONFLICT
    )


def _job_failed(row: Mapping[str, Any], uuid: str) -> Failure:
    """Whether failed tasks are billed is not documented, so one that ran counts as billed unless its row
    has a cost: then it is what the row says. One that was refused before it ran costs nothing."""
    cost, code = amount(row.get("cost")), str(row.get("code") or "")
    if cost == 0 or (cost is None and _REFUSED.search(code)):
        words = f"Runware ran the task and it failed: {_said(row)}; not billed"
        return Failure(FailureKind.JOB_FAILED, words, request_id=uuid)
    words = (
        f"Runware ran the task and it failed: {_said(row)}. It counts as billed, because Runware does "
        "not say whether failed tasks are"
    )
    return Failure(FailureKind.JOB_FAILED, words, Billed.YES, cost=cost, request_id=uuid)


def _said(row: Mapping[str, Any]) -> str:
    words = [str(row.get(name)) for name in ("code", "message") if row.get(name)]
    return shown(": ".join(words)) or "no reason given"


def _no(kind: FailureKind, words: str, status: int) -> Failure:
    return Failure(kind, words, Billed.NO, status)
