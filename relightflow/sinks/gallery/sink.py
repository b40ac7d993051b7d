"""The sink itself: the run's records and images, as a run of a gallery."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from relightflow.errors import UsageError
from relightflow.gallery.data import told_jobs
from relightflow.gallery.entries import Entry, Input, ManifestHead, Unused, record
from relightflow.gallery.local_images import LocalImages
from relightflow.gallery.run import GalleryRun
from relightflow.gallery.site import FIXED, Site, build, is_ours
from relightflow.gallery.thumbnails import SIZE, Thumbnails
from relightflow.model.job import Output
from relightflow.model.money import usd
from relightflow.model.outcome import Result
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import MOST_MANIFEST, Artifact, FinishedRun, SinkFailed
from relightflow.plugins.source import StaleImage
from relightflow.sinks.base import AggregateSink
from relightflow.sinks.folder import Folder


class Gallery(AggregateSink):
    """See the package; `options` are those of its `RECORD`."""

    def __init__(self, context: SinkContext) -> None:
        super().__init__(context)
        self._options = context.options

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        for name in FIXED:
            self._folder.keep_others(run, name, is_ours)
        writer = _FolderWriter(self._folder)
        site = Site(
            Path(self.location), self._options.get("full", "link"), file=run.recipe.path.name
        )
        cache = run.cache / "thumbnails" if run.cache else None
        thumbnails = Thumbnails(cache, self._options.get("thumbs", SIZE), run.shrink)
        try:
            build((_gallery_run(run),), site, thumbnails, writer)
        except UsageError as error:
            raise SinkFailed(str(error)) from None
        made = {artifact.path for artifact in writer.made}
        self._folder.remove(path for path in run.held if path not in made)
        return tuple(writer.made)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """What the page's data says. Its images are small or links, so none can be read back."""
        for number in itertools.count():
            data = self._folder.read(f"data-{number}.js" if number else "data.js", MOST_MANIFEST)
            if data is None or len(data) > MOST_MANIFEST:
                return
            for job, status, cost in told_jobs(data):
                yield {"job": job, "status": status, "cost": _dollars(cost)}


def _dollars(amount: object) -> float | None:
    return usd(amount) if type(amount) is int else None


class _FolderWriter:
    """Writes the files that differ, and remembers all of them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.made: list[Artifact] = []

    def write(self, path: str, data: bytes, source: Path | None = None) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        linked = source is not None and self._folder.link(path, source)
        if linked or self._folder.digest(path) == sha256:
            receipt = self._folder.receipt(path, sha256)
        else:
            receipt = self._folder.write(path, data, sha256)
        self.made.append(Artifact(path, receipt))


def _gallery_run(run: FinishedRun) -> GalleryRun:
    heads: list[ManifestHead] = []
    entries: list[Entry] = []
    unused: list[Unused] = []
    for found in map(record, run.records()):
        if isinstance(found, Entry):
            entries.append(found)
        elif isinstance(found, ManifestHead):
            heads.append(found)
        else:
            unused.append(found)
    with run.manifest.open("rb") as manifest:
        digest = hashlib.file_digest(manifest, "sha256").hexdigest()
    known = {axis.name: axis.values for axis in run.recipe.matrix.axes}
    return GalleryRun(heads[0], entries, unused, digest, _local_images(run), known)


def _local_images(run: FinishedRun) -> LocalImages:
    results: dict[str, Result] = {}
    outputs: dict[str, Output] = {}
    for output, result in run.outputs():
        outputs.setdefault(output.image.sha256, output)
        if result:
            results.setdefault(result.sha256, result)

    def read_result(entry: Entry) -> bytes | None:
        found = results.get(entry.sha256)
        return run.read(found) if found else None

    def read_input(image: Input) -> bytes | None:
        with suppress(StaleImage, OSError):
            return run.original(outputs[image.sha256])
        return None

    def find_input(image: Input) -> Path | None:
        # what a source on this machine needs to read an image again is its path
        path = Path(outputs[image.sha256].image.locator)
        return path if path.is_absolute() and path.is_file() else None

    folder = Path(run.files) if run.files.startswith("/") else None
    return LocalImages(run.blobs, folder, read_input, find_input, read_result)
