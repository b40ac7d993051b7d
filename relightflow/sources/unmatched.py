"""Says of patterns that found nothing what lies where they look, so that a slip of the pen is seen.

Patterns for several extensions stand beside each other (`photos/*.jpg`, `photos/*.png`): where one of a
folder finds something, the others of the same folder may find nothing.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from relightflow.images.filetypes import kind

_MOST = 5_000
"""Names that are looked at in one folder."""
_SHOWN = 6
_MAGIC = re.compile(r"[*?\[]")


def unmatched(
    folder: str,
    written: Sequence[str],
    patterns: Sequence[tuple[str, ...]],
    matched: Collection[int],
    excluded: Collection[int],
) -> Iterator[str]:
    """What to tell about the patterns of one source. Blocks.

    `written`: as the recipe has them; `patterns`: their parts from `folder` on; `matched`, `excluded`:
    indices of those that meant a file, or one that `exclude` took out.
    """
    for indices in groups(patterns):
        if any(index in matched for index in indices):
            continue
        first = indices[0]
        words = named(written[first], len(indices))
        if any(index in excluded for index in indices):
            yield f"{words} matches only what 'exclude' takes out"
        else:
            there = _there(folder, patterns[first][:-1], written[first])
            yield f"{words} matches no file: {there}"


def groups(patterns: Sequence[tuple[str, ...]]) -> Iterable[list[int]]:
    """The indices of patterns that stand for names in the same folders."""
    found: dict[tuple[str, ...], list[int]] = {}
    for index, parts in enumerate(patterns):
        found.setdefault(parts[:-1], []).append(index)
    return found.values()


def named(written: str, count: int) -> str:
    """A group of `count` patterns, by its first one."""
    more = f" (and {count - 1} more of this folder)" if count > 1 else ""
    return f"'{_shown(written)}'{more}"


def _there(folder: str, parts: tuple[str, ...], written: str) -> str:
    """What is in the folder that a pattern leads to, as far as it exists."""
    if "\\" in written:
        return "write '/' between folders, not '\\'"
    place = Path(folder)
    for part in parts:
        if _MAGIC.search(part) and not part.startswith("[["):
            break
        name = part.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")
        if not (place / name).is_dir():
            return f"there is no folder '{_shown(name)}'; {_contents(place, name)}"
        place /= name
    return _contents(place)


def _contents(place: Path, wanted: str = "") -> str:
    folders, files = _listed(place)
    where = f"'{_shown(place.name)}'"
    if wanted:
        folded = {name.casefold(): name for name in folders}
        near = get_close_matches(wanted.casefold(), folded, n=1)
        hint = f" (did you mean '{_shown(folded[near[0]])}'?)" if near else ""
        return (
            f"{where} has {folders_shown(folders)}{hint}" if folders else f"{where} has no folders"
        )
    found = [f"{name} {number:,}" for name, number in sorted(files.items())[:_SHOWN]]
    if not found and not folders:
        return f"{where} is empty"
    held = f"the files {', '.join(found)}" if found else "no files"
    return f"{where} has {held}" + (f" and {folders_shown(folders)}" if folders else "")


def folders_shown(folders: Sequence[str]) -> str:
    """The first of some folders, in words."""
    named = ", ".join(f"{_shown(name)}/" for name in folders[:_SHOWN])
    more = f" and {len(folders) - _SHOWN:,} more" if len(folders) > _SHOWN else ""
    return f"the folder{'s' if len(folders) > 1 else ''} {named}{more}"


def _listed(place: Path) -> tuple[list[str], Counter[str]]:
    """Folders in `place`, and files by kind; hidden ones are no part of it."""
    folders: list[str] = []
    files: Counter[str] = Counter()
    try:
        with os.scandir(place) as entries:
            for number, entry in enumerate(entries):
                if number == _MOST:
                    break
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                else:
                    files[kind(entry.name)] += 1
    except OSError:
        return [], Counter()
    return sorted(folders), files


def _shown(name: str) -> str:
    """A file's name for a message: short, and without what does not print."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")[:80]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
