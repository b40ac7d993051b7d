"""What an answer of fal that is no result means: which kind of failure, and above all whether it was billed.

Pure. Source: fal's pages on billing (a success is billed, a status from 500 on never, a 422 or a policy
refusal perhaps, where a runner had already worked) and on its queue. What the queue itself answers to a
submit is documented only for a success. So of the rest only what is plainly a refusal (key, credits, no
such model) counts as unbilled; anything else may have been taken, and is held and looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.http.response import Response, mapping, own_detail
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import Verdicts
from relightflow.model.failure import Billed, Failure, FailureKind

ERROR_TYPE = "x-fal-error-type"


def own_words(answer: Response) -> bool:
    """Whether fal wrote the answer, not a proxy: JSON with `detail`, which is text or a list."""
    return bool(own_detail(answer))


def detail(answer: Response) -> str:
    """Why, in fal's words, safe to show; empty where it does not say."""
    return detail_of(mapping(answer.body))


def detail_of(body: Mapping[str, object]) -> str:
    """The same, of an answer's JSON."""
    found = body.get("detail")
    if isinstance(found, list):
        rows = [row for row in found if isinstance(row, dict)]
        found = "; ".join(f"{_place(row)}{row.get('msg', '')}" for row in rows)
    return shown(found) if isinstance(found, str) else ""


def _place(row: dict[str, object]) -> str:
    """`light_type: ` for a row that says where it is."""
    where = row.get("loc")
    named = [str(part) for part in where if part != "body"] if isinstance(where, list) else []
    return f"{'.'.join(named)}: " if named else ""


VERDICTS = Verdicts(FalHosts(), own_words, detail, "FAL_KEY")


def of_submit(answer: Response, model: str) -> Failure:
    """The failure of a billable call that was answered with anything but a usable 200."""
    if shared := VERDICTS.of_submit(answer, model):
        return shared
    if answer.status in (400, 413, 415):
        words = f"fal refused the call ({answer.status}){VERDICTS.reason(answer)}"
        return Failure(FailureKind.REFUSED_CELL, words, status=answer.status)
    return VERDICTS.silent(answer)


def of_job(status: int, why: str, request_id: str) -> Failure:
    """A call that was taken, ran and failed, on fal's own word. `status`: the model's."""
    if status >= 500:
        words = f"fal ran the call and it failed ({status}): {why or 'no reason given'}; not billed"
        return Failure(FailureKind.JOB_FAILED, words, status=status, request_id=request_id)
    words = (
        f"fal refused the call after it was accepted ({status}): {why or 'no reason given'}. fal may "
        "bill that, and does not say whether it did"
    )
    return Failure(FailureKind.JOB_FAILED, words, Billed.UNKNOWN, None, request_id=request_id)


def unconfirmed(failure: Failure) -> Failure:
    """The same without fal's header: a gateway may have written the answer, and its number settles nothing."""
    words = (
        failure.message.removesuffix("; not billed")
        + "; perhaps a gateway said so, so it is held and looked up in the request history"
    )
    return replace(failure, billed=Billed.UNKNOWN, status=None, message=words)
