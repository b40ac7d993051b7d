"""Writes a gallery into a folder or a zip file."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from relightflow.errors import RefusedError, StorageError, UsageError
from relightflow.gallery.entries import Entry
from relightflow.gallery.run import Full, GalleryRun, ListPrice
from relightflow.gallery.site import FIXED, Site, build, is_ours
from relightflow.gallery.thumbnails import SIZE, Thumbnails
from relightflow.plan.spelling import text
from relightflow.sinks.folder import Folder

_OURS = re.compile(r"(?:t|i)/[0-9a-f]{2}/[0-9a-f]{16}\.[a-z]{3,4}|data(?:-[0-9]+)?\.js")
"""What a gallery of ours may hold beside the page; what is not made any more is removed."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    page: Path
    cells: int
    images: int
    """Cells with an image."""
    thumbnails: int
    """That had to be made."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What is asked of a report."""

    out: Path
    full: Full = "link"
    thumbs: int = SIZE
    as_zip: bool = False
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    failed: bool = False
    price: ListPrice | None = None
    file: str = ""
    overwrite: bool = False


def write(
    runs: Sequence[GalleryRun],
    wanted: ImageRequest,
    cache: Path | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Made:
    """Write the gallery. Raises UsageError, RefusedError, StorageError."""
    shown = [_selected(run, wanted) for run in runs]
    made = 0

    def progress(done: int, of: int) -> None:
        nonlocal made
        made = of
        if on_progress is not None:
            on_progress(done, of)

    out = wanted.out.absolute()
    site = Site(out, wanted.full, wanted.price, wanted.file)
    thumbnails = Thumbnails(cache, wanted.thumbs)
    try:
        with ExitStack() as stack:
            if wanted.as_zip:
                writer: _PageZip | _PageFolder = _PageZip(stack, out)
            else:
                writer = _PageFolder(out, wanted.overwrite)
            build(shown, site, thumbnails, writer, progress)
            writer.finish()
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}") from error
    every = [entry for run in shown for entry in run.entries]
    page = out if wanted.as_zip else out / "index.html"
    return Made(page, len(every), sum(1 for entry in every if entry.sha256), made)


def _selected(run: GalleryRun, wanted: ImageRequest) -> GalleryRun:
    """The entries that `--only` and `--failed` leave. Raises UsageError for an unknown axis."""
    names = {name for entry in run.entries for name in entry.cell}
    for axis, _ in wanted.only:
        if axis not in names and axis != "image":
            known = ", ".join(sorted({*names, "image"}))
            raise UsageError(f"--only {axis}: unknown axis; axes: {known}")

    def fits(entry: Entry) -> bool:
        if wanted.failed and entry.status == "done":
            return False
        for axis, values in wanted.only:
            if axis == "image" and axis not in names:
                if not any(fnmatchcase(entry.input.name, value) for value in values):
                    return False
            elif axis not in entry.cell or text(entry.cell[axis]) not in values:
                return False
        return True

    kept = [entry for entry in run.entries if fits(entry)]
    return GalleryRun(run.head, kept, run.unused, run.manifest_sha256, run.images, run.known)


class _PageFolder:
    """A folder of files. What an earlier gallery left there is replaced; anybody else's is not."""

    def __init__(self, out: Path, overwrite: bool) -> None:
        self._folder = Folder(out, ".")
        self._out = out
        for name in FIXED if out.is_dir() and not overwrite else ():
            held = self._folder.read(name)
            if held is not None and not is_ours(held[:200], b""):
                raise RefusedError(
                    f"{out}/{name} was not written by relightflow, so nothing was changed; choose "
                    "another folder with -o, or replace it with --overwrite"
                )
        self._made: set[str] = set()

    def write(self, path: str, data: bytes, source: Path | None = None) -> None:
        self._made.add(path)
        if source is not None and self._folder.link(path, source):
            return
        sha256 = hashlib.sha256(data).hexdigest()
        if self._folder.digest(path) != sha256:
            self._folder.write(path, data, sha256)

    def finish(self) -> None:
        """Remove what an earlier gallery left and this one does not have."""
        stale = []
        for folder, _, names in os.walk(self._out):
            inside = os.path.relpath(folder, self._out)
            for name in names:
                path = name if inside == "." else f"{inside}/{name}"
                if _OURS.fullmatch(path) and path not in self._made:
                    stale.append(path)
        self._folder.remove(stale)


class _PageZip:
    """One file. Entries bear no time, so that the same gallery has the same bytes."""

    def __init__(self, stack: ExitStack, out: Path) -> None:
        self._out = out
        self._part = out.with_name(f".{out.name}.part")
        out.parent.mkdir(parents=True, exist_ok=True)
        self._zip = stack.enter_context(zipfile.ZipFile(self._part, "w"))
        stack.callback(self._part.unlink, missing_ok=True)

    def write(self, path: str, data: bytes, source: Path | None = None) -> None:
        del source
        facts = zipfile.ZipInfo(f"gallery/{path}", (1980, 1, 1, 0, 0, 0))
        facts.external_attr = 0o644 << 16
        small = path.endswith((".html", ".js", ".css"))
        facts.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
        self._zip.writestr(facts, data)

    def finish(self) -> None:
        self._zip.close()
        self._part.replace(self._out)
