"""Uploads images to the provider, free of charge."""

from __future__ import annotations

import dataclasses

from relightflow.backends.http.client import UPLOAD_SECONDS, Api
from relightflow.backends.http.inputs import data_uri
from relightflow.backends.http.response import mapping
from relightflow.backends.segmind import responses
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image


async def upload(api: Api[SegmindHosts], model: str, image: Image, data: bytes) -> str:
    """The URL of an uploaded copy. Raises `CallFailed`, never billed."""
    uri = await data_uri(image.media_type, data)
    answer = await api.read(
        "POST",
        api.hosts.upload,
        "uploading an image",
        body={"data_urls": [uri]},
        seconds=UPLOAD_SECONDS,
    )
    if answer.status != 200:
        raise CallFailed(_refused(responses.of_upload(answer, "v2", model)))
    found = mapping(answer.body)
    urls = found.get("file_urls") or found.get("urls")
    url = urls[0] if isinstance(urls, list) and urls else None
    if not isinstance(url, str):
        raise CallFailed(
            Failure(FailureKind.UNAVAILABLE, "Segmind accepted the upload but returned no URL")
        )
    return url


def _refused(failure: Failure) -> Failure:
    """What a refused upload means: it costs nothing and says nothing about parameters or model."""
    kind = {
        FailureKind.REFUSED_CELL: FailureKind.BAD_IMAGE,
        FailureKind.JOB_FAILED: FailureKind.BAD_IMAGE,
        FailureKind.REFUSED_MODEL: FailureKind.UNAVAILABLE,
        FailureKind.UNKNOWN: FailureKind.UNAVAILABLE,
    }.get(failure.kind, failure.kind)
    words = f"the image was not accepted: {failure.message}"
    if failure.kind in (FailureKind.REFUSED_MODEL, FailureKind.UNKNOWN):
        words = f"the image could not be uploaded (status {failure.status}); nothing was billed"
    return dataclasses.replace(failure, kind=kind, message=words, billed=Billed.NO, kept=b"")
