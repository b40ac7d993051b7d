"""Writes the package of a new plugin, with tests that pass: an HTTP backend for a paid provider, a sink or a
source."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from relightflow.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


KINDS = ("backend", "sink", "source")


def template(kind: str = "backend") -> dict[str, str]:
    """The files of a template, one of KINDS, by their path, as they stand for the plugin `acme`."""
    return dict(_read(files("relightflow.plugins") / "template" / kind, ""))


def scaffold(name: str, folder: Path, kind: str = "backend") -> list[Path]:
    """Write the plugin `name` into `folder`, which must be empty or not there; gives the files. `kind`: one of
    KINDS.

    Raises UsageError for a name that cannot be one, or a folder that holds something.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a plugin's name: use lower-case letters, digits and single dashes"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; choose another folder with --into")
    written = []
    for path, text in template(kind).items():
        target = folder / _renamed(path, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_renamed(text, name), encoding="utf-8")
        written.append(target)
    return written


def _renamed(text: str, name: str) -> str:
    snake = name.replace("-", "_")
    for old, new in (
        ("relightflow_acme", f"relightflow_{snake}"),
        ("ACME", snake.upper()),
        ("Acme", "".join(part.capitalize() for part in name.split("-"))),
        ("acme", name),
    ):
        text = text.replace(old, new)
    return text


def _read(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".tmpl"):
            name = prefix + entry.name.removesuffix(".tmpl")
            found.append((name, entry.read_text(encoding="utf-8")))
    return found
