"""A ComfyUI backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from relightflow.backends.comfyui import models
from relightflow.backends.comfyui.adapter import ComfyUI
from relightflow.backends.comfyui.server import URL, from_environment
from tests.backends import queued
from tests.backends.queued import IMAGE, quick_polls

__all__ = ["IMAGE", "quick_polls"]
connect, emulate = queued.fixtures(
    queued.Provider(
        "comfyui",
        models.MODELS,
        lambda context, url, clock: ComfyUI(context, from_environment({URL: url}), clock),
        {"prompt": "dusk"},
    )
)
