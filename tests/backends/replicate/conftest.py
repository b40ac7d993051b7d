"""A Replicate backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from relightflow.backends.replicate import models
from relightflow.backends.replicate.adapter import Replicate
from tests.backends import queued
from tests.backends.queued import IMAGE, image, quick_polls

__all__ = ["IMAGE", "image", "quick_polls"]
KEY = "r8_0123456789abcdef"
connect, emulate = queued.fixtures(
    queued.Provider("replicate", models.MODELS, queued.with_key(Replicate, KEY), {"prompt": "dusk"})
)
