"""Uploads images to Replicate's file storage, free of charge. Only the account's key opens them there."""

from __future__ import annotations

from relightflow.backends.http.client import UPLOAD_SECONDS, Api
from relightflow.backends.http.multipart import multipart
from relightflow.backends.http.response import mapping
from relightflow.backends.replicate import responses
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image

_DOING = "uploading an image"


async def upload(api: Api[ReplicateHosts], image: Image, data: bytes) -> str:
    """The URL of an uploaded copy. Raises `CallFailed`, never billed."""
    name = f"{image.sha256[:32]}.{image.media_type.rpartition('/')[2]}"
    body, kind = multipart({}, "content", name, image.media_type, data)
    headers = {**api.hosts.authorization(api.key), "Content-Type": kind}
    answer = await api.read(
        "POST", api.hosts.files, _DOING, content=body, headers=headers, seconds=UPLOAD_SECONDS
    )
    urls = mapping(answer.body).get("urls")
    url = urls.get("get") if isinstance(urls, dict) else None
    if answer.status in (200, 201) and isinstance(url, str):
        return url
    if answer.status in (400, 413, 415, 422) and responses.own_words(answer):
        words = f"Replicate did not take the image: {responses.detail(answer)}; nothing was billed"
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, words, Billed.NO, answer.status))
    raise CallFailed(responses.VERDICTS.of_read(answer, _DOING))
