"""The JSON Schema files that the package ships, for editors and for readers of our output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PUBLISHED = ("recipe", "manifest-record", "summary", "picks", "plan")
"""Names of the schemas; each is `NAME.schema.json`."""


def published_path(name: str) -> Path:
    """The file of the schema `name`. Raises ValueError for a name that is none."""
    if name not in PUBLISHED:
        raise ValueError(f"unknown schema {name!r}; known: {', '.join(PUBLISHED)}")
    package = Path(__file__).parent.parent
    shipped = package / "schemas"
    # an editable install has no copy in the package: there the folder stands beside it
    folder = shipped if shipped.is_dir() else package.parent / "schemas"
    return folder / f"{name}.schema.json"


def published(name: str) -> dict[str, Any]:
    """The schema `name`, for the built-in plugins alone. Raises ValueError as `published_path` does."""
    schema: dict[str, Any] = json.loads(published_path(name).read_text(encoding="utf-8"))
    return schema
