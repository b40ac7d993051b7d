"""The backend: free, immediate, and on this machine."""

from __future__ import annotations

import asyncio
from typing import Any

from relightflow.images import PNG, BadImage, decode, encode
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.records import BackendContext


class Mirror(Backend):
    def __init__(self, context: BackendContext) -> None:
        self._model = context.model

    async def open(self) -> None:
        """There is no account and no connection."""

    async def close(self) -> None:
        """There is nothing to give back."""

    async def prepare(self, image: Image, data: bytes) -> Any:
        try:
            return await asyncio.to_thread(decode, data)
        except BadImage as error:
            raise CallFailed(
                Failure(FailureKind.BAD_IMAGE, f"{image.name}: {error.reason}")
            ) from None

    async def submit(self, call: Call) -> Step:
        turned = call.job.parameters["axis"] == "horizontal"
        pixels = call.prepared[:, ::-1] if turned else call.prepared[::-1]
        return Completed(await asyncio.to_thread(encode, pixels, PNG), cost=0)

    async def collect(self, step: Step) -> Step:
        raise CallFailed(
            Failure(FailureKind.BUG, f"a mirror completes at once; there is no {step!r}")
        )
