"""Whose API can be served, and where each protocol stands. Loads nothing before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Protocol:
    """One provider's API."""

    place: str
    """`module:name` of the function that routes requests, or of a plain emulator's class."""
    reason: str = "error"
    """What a refusal's reason is called in its JSON."""
    identity: str = "request_id"
    """What a call's id is called in an answer."""
    plain: bool = False
    """It has the smaller core, which takes few options."""

    def load(self) -> Any:
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)


PROTOCOLS: Mapping[str, Protocol] = {
    "segmind": Protocol("relightflow.backends.segmind.emulator.routes:route"),
    "fal": Protocol("relightflow.backends.fal.emulator.routes:route", "detail"),
    "replicate": Protocol("relightflow.backends.replicate.emulator.routes:route", "detail", "id"),
    "comfyui": Protocol("relightflow.backends.comfyui.emulator:route"),
    "runware": Protocol("relightflow.backends.runware.emulator:RunwareEmulator", plain=True),
    "comfy": Protocol("relightflow.backends.comfy.emulator:ComfyEmulator", plain=True),
}
