"""One place in an object store: list, get, put, head, delete, presign.

Every method blocks and may be called from several threads; each raises `ObjectFault`. Where the
store is and who we are come from the operator's environment (`settings.py`), never from an address.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from relightflow.core.redact import register_environment
from relightflow.errors import UsageError
from relightflow.objects.address import Address, address
from relightflow.objects.faults import ObjectFault, Reason, translated
from relightflow.objects.settings import settings

PAGE = 1000
_SHA256 = "sha256"
"""Name of the metadata that holds an object's hash."""
_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*")
_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_TIMEOUTS = {"timeout": "120s", "connect_timeout": "10s"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a store says of an object without its bytes."""

    path: str
    """Below the prefix."""
    size: int
    etag: str
    """Changes with the bytes; empty where the store has none."""
    modified: datetime


@dataclass(frozen=True, slots=True)
class Head:
    facts: Facts
    sha256: str
    """As the writer noted it; empty where nobody did. Not to be believed where it matters."""


class Bucket:
    """A prefix of a bucket, or a folder where `file` was allowed."""

    def __init__(self, address: Address, store: Any, local: bool = False) -> None:
        self.address = address
        self._store = store
        self._local = local
        self._synced: set[Path] = set()
        """Folders whose own names are on the disk."""

    def __str__(self) -> str:
        return f"file:///{self.address.prefix}/" if self._local else str(self.address)

    def list(self, under: str = "") -> Iterator[Facts]:
        """Every object below `under` (a folder), a page at a time, in the store's order."""
        import obstore

        prefix = self._key(under) if under else self._root
        where = f"{self}{under}"
        with translated(where):
            pages = obstore.list(self._store, prefix or None, chunk_size=PAGE)
        while True:
            with translated(where):
                page = next(pages, None)
            if page is None:
                return
            yield from (self._facts(meta) for meta in page)

    def get(self, path: str, etag: str = "", most: int | None = None) -> bytes:
        """The bytes at `path`. `etag`: only if it is still that one; `most`: never read more bytes.

        Raises ObjectFault; CHANGED where it is another by now or is larger than `most`.
        """
        import obstore

        with translated(f"{self}{path}"):
            found = obstore.get(self._store, self._key(path))
            meta = found.meta
            if (etag and _etag(meta) != etag) or (most is not None and meta["size"] > most):
                raise ObjectFault(Reason.CHANGED, f"{self}{path}", "changed by another process")
            return bytes(found.bytes())

    def head(self, path: str) -> Head | None:
        """What stands at `path`; None where nothing does."""
        import obstore

        try:
            with translated(f"{self}{path}"):
                found = obstore.get(self._store, self._key(path), options={"head": True})
                sha256 = dict(found.attributes).get(_SHA256, "")
                return Head(self._facts(found.meta), str(sha256))
        except ObjectFault as error:
            if error.reason is Reason.MISSING:
                return None
            raise

    def may_hold(self, path: str) -> bool:
        """False where the store is a folder and nothing stands at `path`, which asks no server: a share that
        was unmounted is an empty folder."""
        return not self._local or Path("/", self.address.prefix, path).exists()

    def put(
        self,
        path: str,
        data: bytes,
        media_type: str = "",
        sha256: str = "",
        only_new: bool = False,
    ) -> str:
        """Put `data` at `path`, whole or not at all; its ETag. On the disk before this returns, where the
        store is a folder. `only_new`: raises CHANGED where something is there, as far as the store honours
        that: `store.marker` finds out."""
        import obstore

        noted = {"Content-Type": media_type, _SHA256: sha256}
        attributes: Any = {name: text for name, text in noted.items() if text}
        if self._local:
            attributes = None  # files have no metadata
        with translated(f"{self}{path}"):
            made = obstore.put(
                self._store,
                self._key(path),
                data,
                attributes=attributes or None,
                mode="create" if only_new else "overwrite",
                use_multipart=False,
            )
            if self._local:
                self._sync(Path("/", self.address.prefix), path)
        return _etag(made)

    def _sync(self, root: Path, path: str) -> None:
        """Bytes and names, as far up as a folder may be new. Raises OSError."""
        _fsync(root / path)
        for folder in (root / path).parents:
            _fsync(folder)
            if folder == root or folder in self._synced:
                break
            self._synced.add(folder)

    def delete(self, paths: Iterable[str]) -> None:
        """Take the objects at `paths` away; those that are gone already are no failure."""
        import obstore

        keys = [self._key(path) for path in paths]
        if not keys:
            return
        try:
            with translated(str(self)):
                obstore.delete(self._store, keys)
        except ObjectFault as error:
            if error.reason is not Reason.MISSING:
                raise

    def presign(self, path: str, seconds: int) -> str:
        """A URL from which anybody may read `path` for so long. A secret."""
        import obstore

        if self.address.scheme == "az" and not _PLAIN.fullmatch(path):
            # the library signs the escaped name, and Azure checks the name itself
            words = (
                "a signed URL of this name does not work on Azure; use `delivery: upload`, or a name of "
                "letters, digits, -, _ and . only"
            )
            raise ObjectFault(Reason.UNSUPPORTED, f"{self}{path}", words)
        with translated(f"{self}{path}"):
            return obstore.sign(self._store, "GET", self._key(path), timedelta(seconds=seconds))

    @property
    def _root(self) -> str:
        return "" if self._local else self.address.prefix

    def _key(self, path: str) -> str:
        return self.address.key(path) if not self._local else Address("", "", "").key(path)

    def _facts(self, meta: Any) -> Facts:
        key = meta["path"]
        path = key[len(self._root) + 1 :] if self._root else key
        return Facts(path, meta["size"], _etag(meta), meta["last_modified"])


def _fsync(path: Path) -> None:
    """Raises OSError where the disk refuses; some shares know no fsync of folders."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # taken away meanwhile
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(handle)


class _NoFolder(Bucket):
    """A folder that is not there: a share that is not mounted, say."""

    def get(self, path: str, etag: str = "", most: int | None = None) -> bytes:  # noqa: ARG002  as above
        raise ObjectFault(Reason.MISSING, f"{self}{path}", "the folder does not exist")


def _etag(meta: Any) -> str:
    """Quoted, as HTTP has it: Azure's listings leave the quotes out. Empty where there is none."""
    text: str = meta["e_tag"] or ""
    return text if not text or text.endswith('"') else f'"{text}"'


def opened(
    url: str,
    environ: Mapping[str, str] | None = None,
    files: bool = False,
    make_folder: bool = True,
) -> Bucket:
    """The place that `url` spells; nothing is sent yet. `files`: allow `file:///folder` too;
    `make_folder` False: only one that exists, else every call says that the object is missing.

    Raises UsageError for a URL that is none, or an environment that makes no sense.
    """
    environ = os.environ if environ is None else environ
    register_environment(environ)
    if files and url.startswith("file://"):
        return _folder(url.removeprefix("file://"), make_folder)
    at = address(url)
    for name in [n for n in os.environ if n.startswith(_PREFIXES) and not os.environ[n]]:
        del os.environ[name]  # empty is unset, as for the stores' own tools; the library panics
    from obstore import store as stores
    from obstore.exceptions import BaseError

    options = settings(at.scheme, environ)
    options["client_options"] = {**_TIMEOUTS, **options["client_options"]}
    options["retry_config"] = _RETRIES
    try:
        if at.scheme == "gs":
            store: Any = stores.GCSStore(at.bucket, **options)
        elif at.scheme == "az":
            store = stores.AzureStore(at.bucket, **options)
        else:
            store = stores.S3Store(at.bucket, **options)
    except (BaseError, ValueError):
        raise UsageError(
            f"{at} does not work with the store's settings in the environment; check AWS_*, "
            "GOOGLE_* or AZURE_*"
        ) from None
    return Bucket(at, store)


def _folder(path: str, make: bool) -> Bucket:
    from obstore.store import LocalStore

    if not Path(path).is_absolute():
        raise UsageError(f"file://{path} needs an absolute path: file:///folder")
    at = Address("file", "", path.strip("/"))
    if not make and not Path(path).is_dir():
        return _NoFolder(at, None, local=True)
    return Bucket(at, LocalStore(path, mkdir=make), local=True)
