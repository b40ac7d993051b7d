"""Brings the built-in backends in, through the same door as any plugin's."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.backends.comfy.plugin import RECORD as COMFY
from relightflow.backends.comfyui.plugin import RECORD as COMFYUI
from relightflow.backends.fal.plugin import RECORD as FAL
from relightflow.backends.preview.plugin import RECORD as PREVIEW
from relightflow.backends.replicate.plugin import RECORD as REPLICATE
from relightflow.backends.runware.plugin import RECORD as RUNWARE
from relightflow.backends.segmind.plugin import RECORD as SEGMIND
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import BackendRecord


@hookimpl
def relightflow_backends() -> Iterable[BackendRecord]:
    return PREVIEW, SEGMIND, FAL, REPLICATE, RUNWARE, COMFY, COMFYUI
