"""Reads an image's file without being fooled or held up, and says what its bytes are."""

from __future__ import annotations

import hashlib
import os
import stat

from relightflow.images import BadImage, probe
from relightflow.images.filetypes import is_image, kind, raw
from relightflow.images.optional import TIFF
from relightflow.model.image import PassedOver, Rejected
from relightflow.plugins.executor import TaskRefused
from relightflow.sources.file_index import Known

MAX_BYTES = 64 << 20
"""A larger file is no photograph to relight, and memory is finite."""
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def bytes_of(path: str, folder: int | None = None) -> bytes:
    """A regular file's bytes, without ever waiting for a pipe. Raises OSError, BadImage.

    `folder`: a descriptor of the folder that `path` counts from.
    """
    file = os.open(path, READ, dir_fd=folder)
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise BadImage("not a regular file")
        if facts.st_size > MAX_BYTES:
            raise BadImage(f"larger than {MAX_BYTES >> 20} MiB: make it smaller")
        with os.fdopen(file, "rb", closefd=False) as stream:
            data = stream.read(facts.st_size + 1)
    finally:
        os.close(file)
    if len(data) != facts.st_size:
        raise BadImage("being written: run again when it is complete")
    return data


def examine(data: bytes, name: str = "") -> Known:
    """What the bytes of an image say about it. `name`: of its file, where that says more. Raises BadImage."""
    probed = probe(data)
    if probed.media_type == TIFF and (words := raw(name)):
        raise BadImage(f"not a supported image ({words}): export it as JPEG or PNG", "TIFF")
    digest = hashlib.sha256(data).hexdigest()
    return Known(digest, len(data), probed.width, probed.height, probed.media_type)


def examined_apart(path: str, name: str, size: int, modified: int) -> Known:
    """`examine` on a worker, of the file that the run sees. Raises TaskRefused for whatever the run had better
    look at itself. `modified`: nanoseconds."""
    try:
        facts = os.lstat(path)
        if (facts.st_size, facts.st_mtime_ns) != (size, modified):
            raise TaskRefused("a worker sees another file of the same name")
        return examine(bytes_of(path), name)
    except (OSError, BadImage) as problem:
        raise TaskRefused(f"a worker could not read an input image ({in_words(problem)})") from None


def unusable(
    name: str, error: Exception, source: int, named: bool = False
) -> Rejected | PassedOver:
    """What becomes of a file that cannot be used. `named`: the recipe spells its very name out.

    One that is no image by name or content is passed over: a sidecar must not fail a run.
    """
    other = isinstance(error, BadImage) and error.form is None
    if other and not named and not is_image(name):
        return PassedOver(kind(name), source)
    words = raw(name)
    if words and isinstance(error, BadImage):
        return Rejected(name, f"not a supported image ({words}): export it as JPEG or PNG", source)
    return Rejected(name, in_words(error), source)


def in_words(error: Exception) -> str:
    """Why a file could not be read, for people."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
