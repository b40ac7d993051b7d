"""A Segmind backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from relightflow.backends.segmind import models
from relightflow.backends.segmind.adapter import Segmind
from tests.backends import queued
from tests.backends.queued import IMAGE, image

__all__ = ["IMAGE", "image"]
KEY = "SG_0123456789abcdef"
connect, emulate = queued.fixtures(
    queued.Provider("segmind", models.MODELS, queued.with_key(Segmind, KEY))
)
