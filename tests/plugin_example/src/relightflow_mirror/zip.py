"""The sink: one ZIP file with every picture and the manifest. The same run gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, Finished, Presence, SinkFailed, Stamp
from relightflow.store.atomic import write_atomic


class Zip:
    def __init__(self, context: SinkContext) -> None:
        self._folder = context.folder.absolute()
        self._file = str(context.options["file"])

    @property
    def place(self) -> str:
        return str(self._folder)

    def look(self, path: str, known: Stamp | None, sha256: str) -> Presence:
        del known
        target = Path(self.place) / path
        if not target.is_file():
            return Presence.MISSING
        same = hashlib.sha256(target.read_bytes()).hexdigest() == sha256
        return Presence.SAME if same else Presence.EDITED

    def write(self, path: str, data: bytes, media_type: str) -> Stamp:
        raise SinkFailed(f"{path}: a ZIP file is only written whole, when the run is over")

    def finish(self, run: Finished) -> tuple[Artifact, ...]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            _add(archive, "manifest.jsonl", run.manifest.read_bytes())
            for output, result in run.outputs():
                if result:
                    extension = result.media_type.removeprefix("image/")
                    _add(archive, f"{output.index:05}.{extension}", run.read(result))
        data = packed.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        if self.look(self._file, None, digest) is not Presence.SAME:
            write_atomic(self._folder, self._file, data, durable=False)
        facts = os.stat(self._folder / self._file)
        return (Artifact(self._file, Stamp(digest, len(data), str(facts.st_mtime_ns))),)

    def close(self) -> None:
        """Nothing is held."""


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # a ZipInfo without a time is of 1980: no clock may get into the bytes
    archive.writestr(zipfile.ZipInfo(name), data)
