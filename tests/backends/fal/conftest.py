"""A fal backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from relightflow.backends.fal import models
from relightflow.backends.fal.adapter import Fal
from tests.backends import queued
from tests.backends.queued import IMAGE, image, quick_polls

__all__ = ["IMAGE", "image", "quick_polls"]
KEY = "0123-4567:89abcdef"
connect, emulate = queued.fixtures(queued.Provider("fal", models.MODELS, queued.with_key(Fal, KEY)))
