"""The job key: what makes two purchases the same.

sha256 over the canonical JSON of {backend, format, image, model, parameters, repeat}: keys sorted,
no spaces, ASCII. Never a path, URL, order, comment, time or tool version, so that a cosmetic edit
buys nothing again. `FORMAT` changes only if the meaning of a key must change: every user would
then pay again, so it does not.
"""

from __future__ import annotations

import json
from hashlib import sha256

from relightflow.model.values import Parameters, canonical_json
from relightflow.plan.spelling import plain, spell_all

FORMAT = 1


def job_key(
    backend: str, model: str, image_sha256: str, parameters: Parameters, repeat: int
) -> str:
    """64 hex digits. `parameters` are those that are sent, normalised by `Model.normalise`."""
    what = {
        "format": FORMAT,
        "backend": backend,
        "model": model,
        "image": image_sha256,
        "parameters": {name: plain(value) for name, value in parameters.items()},
        "repeat": repeat,
    }
    return sha256(canonical_json(what).encode()).hexdigest()


class KeyMaker:
    """`job_key` for a million jobs: everything but the image and the repeat is written only once."""

    __slots__ = ("_head", "_middle")

    def __init__(self, backend: str, model: str) -> None:
        self._head = f'{{"backend":{json.dumps(backend)},"format":{FORMAT},"image":"'
        self._middle = f'","model":{json.dumps(model)},"parameters":'

    def head(self, image_sha256: str) -> bytes:
        """What the keys of one image begin with."""
        return f"{self._head}{image_sha256}".encode()

    def tail(self, parameters: Parameters) -> bytes:
        """What the keys of one cell go on with; the same for two cells only if they are one job."""
        return f'{self._middle}{spell_all(parameters)},"repeat":'.encode()


def key_of(head: bytes, tail: bytes, repeat: bytes) -> str:
    """The key from its three pieces; `repeat` is the number in ASCII with the closing brace."""
    return sha256(head + tail + repeat).hexdigest()
