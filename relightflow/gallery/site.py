"""Runs → the files of a gallery, handed to a writer one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from relightflow.errors import UsageError
from relightflow.gallery.axes import labels, tabulate
from relightflow.gallery.data import SHORT, CellAddress, Sweep, scripts
from relightflow.gallery.entries import MOST, Entry, Input
from relightflow.gallery.run import Full, GalleryImages, GalleryRun, ListPrice
from relightflow.gallery.thumbnails import ThumbnailRequest, Thumbnails, make_all
from relightflow.model.output_format import extension

PAGE = ("index.html", "app.css")
_SCRIPTS = (
    "10-base.js", "20-data.js", "30-picks.js", "40-state.js", "50-layout.js",
    "60-grid.js", "70-stage.js", "80-views.js", "85-chrome.js", "90-main.js",
)  # fmt: skip
"""In this order they are app.js: one classic script, because a page on file:// may load no modules."""


FIXED = ("index.html", "app.css", "app.js", "data.js")
"""Files whose names another program may use too; ours say `relightflow` at their beginning."""


def is_ours(head: bytes, tail: bytes) -> bool:
    """Whether a file that begins with `head` is one of FIXED as we write them."""
    del tail
    return b"relightflow" in head


class _Writer(Protocol):
    def write(self, path: str, data: bytes, source: Path | None = None) -> None:
        """Make sure that `data` is at `path`, relative to the gallery. `source`: a file of the cache
        that holds the same, and may be linked."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is asked of a gallery."""

    folder: Path
    """Absolute: where it will stand; links count from here."""
    full: Full = "link"
    price: ListPrice | None = None
    file: str = ""
    """The recipe's file name, if one recipe is shown."""


def build(
    runs: Sequence[GalleryRun],
    site: Site,
    thumbnails: Thumbnails,
    writer: _Writer,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the whole gallery. `on_progress` is told of the thumbnails that had to be made.

    Raises UsageError where the runs have more cells than a page holds.
    """
    total = sum(len(run.entries) for run in runs)
    if total > MOST:
        raise UsageError(
            f"{total:,} cells are more than a page holds ({MOST:,}); make one gallery for each "
            "part "
            "with --only image=PATTERN"
        )
    shown = _thumbnails(runs, thumbnails, writer, on_progress)
    addresses = dict(_addresses(runs, site, writer, shown))
    inputs = {
        image: (image.sha256 in shown, _input_address(run.images, image, site, writer))
        for run in runs
        for image in dict.fromkeys(entry.input for entry in run.entries)
    }
    named = labels(runs)
    sweep = Sweep(
        runs, named, tabulate(runs, named), inputs, shown, addresses, site.price, site.file
    )
    for name, data in scripts(sweep):
        writer.write(name, data)
    for name, data in page():
        writer.write(name, data)


def page() -> Iterator[tuple[str, bytes]]:
    """The page's own files, the same for every gallery."""
    folder = files("relightflow.gallery") / "page"
    for name in PAGE:
        yield name, (folder / name).read_bytes()
    pieces = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    yield "app.js", f'// relightflow gallery\n"use strict";\n(() => {{\n{pieces}}})();\n'.encode()


def _thumbnail_path(sha256: str) -> str:
    return f"t/{sha256[:2]}/{sha256[:SHORT]}.webp"


def _wanted(runs: Sequence[GalleryRun]) -> dict[str, ThumbnailRequest]:
    """Every result and input image, once."""
    found: dict[str, ThumbnailRequest] = {}
    for run in runs:
        images = run.images
        for entry in run.entries:
            if entry.sha256 and entry.sha256 not in found:
                read = partial(images.result, entry)
                found[entry.sha256] = ThumbnailRequest(entry.sha256, read, is_result=True)
            image = entry.input
            if image.sha256 not in found:
                found[image.sha256] = ThumbnailRequest(image.sha256, partial(images.input, image))
    return found


def _thumbnails(
    runs: Sequence[GalleryRun],
    thumbnails: Thumbnails,
    writer: _Writer,
    on_progress: Callable[[int, int], None] | None,
) -> frozenset[str]:
    """Write every thumbnail; the hashes of the images that have one."""
    shown = set()
    cold = []
    for sha256, wanted in _wanted(runs).items():
        data = thumbnails.held(sha256)
        if data is None:
            cold.append(wanted)
            continue
        writer.write(_thumbnail_path(sha256), data, thumbnails.file(sha256))
        shown.add(sha256)
    for number, (sha256, data) in enumerate(make_all(thumbnails, cold), 1):
        if data is not None:
            writer.write(_thumbnail_path(sha256), data, thumbnails.file(sha256))
            shown.add(sha256)
        if on_progress is not None:
            on_progress(number, len(cold))
    return frozenset(shown)


def _addresses(
    runs: Sequence[GalleryRun], site: Site, writer: _Writer, shown: frozenset[str]
) -> Iterator[tuple[str, CellAddress]]:
    """Where each result is in full."""
    if site.full == "none":
        return
    copied = set()
    for run in runs:
        for entry in run.entries:
            if entry.sha256 not in shown:
                continue
            if site.full == "link":
                file = run.images.result_file(entry)
                if file is not None:
                    yield _key(entry), _link(file, site.folder)
                continue
            if entry.sha256 not in copied:
                data = run.images.result(entry)
                if data is None:
                    continue
                writer.write(_copy_path(entry.sha256, entry.media_type), data)
                copied.add(entry.sha256)
            folder, _, name = _copy_path(entry.sha256, entry.media_type).rpartition("/")
            yield _key(entry), CellAddress(f"{folder}/", name)


def _key(entry: Entry) -> str:
    return entry.job + entry.sha256


def _copy_path(sha256: str, media_type: str) -> str:
    return f"i/{sha256[:2]}/{sha256[:SHORT]}.{extension(media_type)}"


def _input_address(images: GalleryImages, image: Input, site: Site, writer: _Writer) -> str:
    if site.full == "none":
        return ""
    if site.full == "link":
        file = images.input_file(image)
        if file is None:
            return ""
        address = _link(file, site.folder)
        return address.folder + address.name
    data = images.input(image)
    if data is None:
        return ""
    path = f"i/{image.sha256[:2]}/{image.sha256[:SHORT]}.{_kind(data)}"
    writer.write(path, data)
    return path


def _kind(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "png"
    return "webp" if data[8:12] == b"WEBP" else "jpg"


def _link(file: Path, folder: Path) -> CellAddress:
    """A relative URL. Every byte that could mean something else in a URL is escaped."""
    relative = os.path.relpath(file, folder)
    head, _, name = relative.rpartition("/")
    return CellAddress(quote(os.fsencode(head + "/")) if head else "", quote(os.fsencode(name)))
