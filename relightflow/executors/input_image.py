"""An input image as a worker reads it: the bytes that were planned, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from relightflow.errors import RelightflowError
from relightflow.images import BadImage
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.source import StaleImage


def read_planned(read: Callable[[], bytes], sha256: str) -> bytes:
    """What `read` gives, if it has the digest that the plan was made with.

    Raises TaskRefused otherwise: what a worker cannot read, this machine may. Blocks.
    """
    try:
        data = read()
    except (OSError, RelightflowError, BadImage, StaleImage) as problem:
        raise TaskRefused(f"a worker could not read an input image: {problem}") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise TaskRefused("a worker sees another content of an input image")
    return data
