"""The `directory` sink: each image a file, and `manifest.jsonl` beside them.

Files are written whole or not at all, and not forced to the disk one by one: what a power cut takes
is delivered again from the store.
"""

from __future__ import annotations

from relightflow.plugins.records import SinkRecord
from relightflow.plugins.sink import MANIFEST, Artifact, FinishedRun
from relightflow.sinks.base import FILES, FolderSink, folder_options
from relightflow.sinks.owned import is_manifest

RECORD = SinkRecord(
    name="directory",
    summary="One file per result, and a manifest",
    create="relightflow.sinks.directory:Directory",
    schema=folder_options(
        {
            **FILES,
        }
    ),
    layout="files",
    converts_format=True,
    remote=True,
    writes=(MANIFEST,),
)


class Directory(FolderSink):
    """See the module; `options` are those of `RECORD`."""

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        self._folder.keep_others(run, MANIFEST, is_manifest)
        return (Artifact(MANIFEST, self._folder.copy(run.manifest, MANIFEST)),)
