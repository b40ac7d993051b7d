"""Where objects live: a bucket and a prefix, and nothing that only the operator may say.

Pure. An address is untrusted text of a recipe, so it has no room for an endpoint, a user, a port,
a query or a way up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from relightflow.errors import RefusedError, UsageError

_PATTERN = r"^(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9](/[^?#\\]*)?$"
ADDRESS = {
    "type": "string",
    "pattern": _PATTERN,
    "patternErrorMessage": "is not an object store URL; use s3://bucket/prefix/, "
    "gs://bucket/prefix/ or az://container/prefix/",
    "description": "Bucket and prefix. Endpoint and credentials come from the environment.",
}
"""What a recipe may write: the bucket (for `az`, the container) and a prefix. A JSON Schema."""
_FORM = re.compile(_PATTERN)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    bucket: str
    prefix: str
    """Without a slash at either end; empty for the whole bucket."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/" + (f"{self.prefix}/" if self.prefix else "")

    def key(self, path: str) -> str:
        """The object's key in the bucket. Raises RefusedError for a path that is not plain."""
        return f"{self.prefix}/{plain(path)}" if self.prefix else plain(path)


def address(url: str) -> Address:
    """The address that `url` spells. Raises UsageError where it does not."""
    match = _FORM.match(url)
    parts = [part for part in url.split("/")[3:] if part] if match else []
    if not match or ".." in parts or "." in parts or _CONTROL.search(url):
        raise UsageError(
            f"{url!r} is not an object store URL; use s3://bucket/prefix/, gs://… or az://…, "
            "without credentials or host: those come from the environment"
        )
    return Address(match[1], url.split("/")[2], "/".join(parts))


def plain(path: str) -> str:
    """`path` itself, if it leads down only. Raises RefusedError."""
    if any(part in ("", ".", "..") for part in path.split("/")) or _CONTROL.search(path):
        raise RefusedError(f"refused the object name {path!r}: not a plain path")
    return path
