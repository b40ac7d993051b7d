"""The base of a backend whose provider takes our name for a call: settled by key, image inside the request."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.hosts import H
from relightflow.backends.http.inputs import data_uri
from relightflow.backends.http.response import is_image_data
from relightflow.model.evidence import ACCOUNT
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call


class NamedBackend(HttpBackend[H]):
    """Implements Backend, HasIntentDetails and HasServerTime, but for `submit`."""

    _patience: ClassVar[float]
    """Seconds for which the answer to a call is waited for."""

    async def prepare(self, image: Image, data: bytes) -> str:
        """The image as a data URI, which goes inside the request: the very bytes, in base64."""
        if not is_image_data(data):
            words = f"{image.name!r} is not a JPEG, PNG or WebP image; not sent, not billed"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words))
        return await data_uri(image.media_type, data)

    def intent_details(self, call: Call) -> FrozenMap:  # noqa: ARG002  the same for every call
        """Whose call it is: names of calls are an account's."""
        return FrozenMap({ACCOUNT: self._whose})


def of_resent(failure: Failure, *silent: FailureKind) -> Failure:
    """What a refusal says of a call that may have been made earlier: that a model is not served any more
    says nothing of the time when it was. `silent`: further kinds that say nothing."""
    if failure.kind not in (FailureKind.REFUSED_MODEL, *silent):
        return failure
    return replace(failure, kind=FailureKind.UNAVAILABLE)
