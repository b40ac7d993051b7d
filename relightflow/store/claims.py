"""Claims in a shared store: of several machines that want a job, one gets it.

    inflight/<job key>.json    the claim, from before the call leaves until its result is published
    takeover/<attempt>.json    while another attempt of the same owner takes the claim of `attempt` over

Where the store's conditional put is atomic (`marker`), a claim is a lock without an expiry: only its owner
takes it away, or somebody to whom its owner's silence was explained. relightflow 0.1 puts a call there once
the provider has accepted it, without a name; it is read like any other. Methods block, may be called from
several threads, and raise ObjectFault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.reservation import model_id
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.entries import Entries
from relightflow.store.index_entry import (
    attempt_facts,
    read_cost,
    read_details,
    read_money,
    read_time,
)

_INFLIGHT = "inflight"
_READERS = 16
_TAKEOVER = "takeover"
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_ATTEMPT = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[\w.:@ -]{1,100}", re.ASCII)
_STATES = {s.value: s for s in (State.INTENT, State.ACCEPTED, State.UNKNOWN, State.FAILED)}
_MOST_REASON = 400


class Claims:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._entries = Entries(bucket)

    def __str__(self) -> str:
        return str(self._bucket)

    def of(self, job: Mapping[str, Any]) -> JobClaim | None:
        """The claim on this very `job` (its label); None where there is none, or one that makes no sense."""
        entry = self._entries.of_job(_path(job["key"]), job)
        return _claim(entry) if entry else None

    def at(self, key: str) -> JobClaim | None:
        """The claim that stands there now on the job with that key, whatever the job is."""
        entry = self._entries.at(_path(key))
        return _claim(entry) if entry and entry.get("key") == key else None

    def create(self, job: Mapping[str, Any], claim: JobClaim) -> bool:
        """Claim a job. False: something is there already, perhaps by a lost answer our own."""
        try:
            self._entries.put(_path(claim.key), _entry(job, claim), only_new=True)
        except ObjectFault as fault:
            if fault.reason is Reason.CHANGED:
                return False
            raise
        return True

    def put(self, job: Mapping[str, Any], claim: JobClaim) -> None:
        """Write down how far the owner has come, or take over what its owner gave up."""
        self._entries.put(_path(claim.key), _entry(job, claim))

    def take_over(self, old: str, new: str) -> bool:
        """Let the attempt `new` put its claim in the place of that of `old`, and nobody else meanwhile: of copies
        of one state, to each of which that claim is its own, one gets it. True again for the same `new`."""
        path = f"{_TAKEOVER}/{old}.json"
        try:
            self._entries.put(path, {"attempt": new}, only_new=True)
        except ObjectFault as fault:
            if fault.reason is not Reason.CHANGED:
                raise
            found = self._entries.at(path)
            return found is not None and found.get("attempt") == new
        return True

    def drop_takeover(self, old: str) -> None:
        """It is over; only for whom `take_over` let."""
        self._bucket.delete([f"{_TAKEOVER}/{old}.json"])

    def release(self, job: Mapping[str, Any], attempt: str) -> None:
        """Take the claim of `attempt` away; another's stays."""
        claim = self.of(job)
        if claim and claim.attempt == attempt:
            self.delete(claim.key)

    def delete(self, key: str) -> None:
        """Take any claim on the job away."""
        self._bucket.delete([_path(key)])

    def all(self) -> Iterator[JobClaim]:
        """Every claim that makes sense, in no order."""
        paths = [facts.path for facts in self._bucket.list(_INFLIGHT)]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="claims") as pool:
            for path, entry in zip(paths, pool.map(self._entries.at, paths), strict=True):
                claim = _claim(entry) if entry and _path(str(entry.get("key"))) == path else None
                if claim:
                    yield claim


def _path(key: str) -> str:
    return f"{_INFLIGHT}/{key}.json"


def _entry(job: Mapping[str, Any], claim: JobClaim) -> dict[str, Any]:
    facts = {
        "request_id": claim.request_id,
        "machine": claim.machine,
        "reason": claim.reason[:_MOST_REASON],
        "cost": claim.cost,
        "reservation": claim.reservation,
        "details": claim.details,
    }
    named = {name: value for name, value in facts.items() if value not in ("", None)}
    who = attempt_facts(claim.attempt, claim.run, claim.recipe)
    return {**job, **who, **named, "event": claim.state, "at": claim.at}


def _claim(entry: Mapping[str, Any]) -> JobClaim | None:
    request_id, event = entry.get("request_id", ""), entry.get("event", State.ACCEPTED)
    state = _STATES.get(event) if isinstance(event, str) else None
    if (
        state is None
        or not isinstance(request_id, str)
        or (request_id and not _ID.fullmatch(request_id))
    ):
        return None
    if state is State.ACCEPTED and not request_id:
        return None
    reason = entry.get("reason", "")
    return JobClaim(
        key=str(entry["key"]),
        state=state,
        attempt=_fitting(_ATTEMPT, entry.get("attempt")),
        run=_fitting(_NAME, entry.get("run")),
        machine=_fitting(_NAME, entry.get("machine")),
        at=read_time(entry),
        price=read_money(entry, "price") or 0,
        cost=read_cost(entry),
        recipe=_fitting(_NAME, entry.get("recipe")),
        request_id=request_id,
        reason=reason[:_MOST_REASON] if isinstance(reason, str) else "",
        reservation=_fitting(_ATTEMPT, entry.get("reservation")),
        model=_model(entry.get("backend"), entry.get("model")),
        details=read_details(entry),
    )


def _model(backend: object, model: object) -> str:
    known = isinstance(backend, str) and isinstance(model, str)
    return model_id(str(backend), str(model)) if known else ""


def _fitting(form: re.Pattern[str], value: object) -> str:
    """A text that is written into ledgers and messages; empty where it has another form."""
    return value if isinstance(value, str) and form.fullmatch(value) else ""
