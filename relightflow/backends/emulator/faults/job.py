"""Faults of the job: what becomes of a request after it was taken, decided when it is."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator.faults.kinds import fault
from relightflow.backends.emulator.provider import EmulatedCall


@fault("job-failed", ("submit",))
async def _job_failed(call: EmulatedCall, *, error: str = "Inference failed") -> web.StreamResponse:
    """The job is taken, runs and fails, unbilled: 422 on v2's polls, 500 on v1."""
    call.facts["error"] = error
    return await call.proceed()


@fault("slow-job", ("submit",))
async def _slow_job(call: EmulatedCall, *, seconds: float) -> web.StreamResponse:
    """The job takes so many seconds, whatever the latency is: PROCESSING for an hour, say."""
    call.facts["seconds"] = seconds
    return await call.proceed()


@fault("expire", ("submit",))
async def expire(call: EmulatedCall, *, after: float = 0.0) -> web.StreamResponse:
    """The v2 record is forgotten so many seconds after it was taken."""
    call.facts["life"] = after
    return await call.proceed()


@fault("unrecorded", ("submit",))
async def unrecorded(call: EmulatedCall) -> web.StreamResponse:
    """The request never shows in the history."""
    call.facts["hidden"] = True
    return await call.proceed()
