"""Writes every generated page of docs/reference/ from the program: `python -m docs.generate`.

A test fails where the pages are not what this writes.
"""

from __future__ import annotations

from pathlib import Path

from docs import commands, fault_grid, hooks, plugins, providers, python_api, records

REFERENCE = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Every generated page by its path under docs/reference."""
    return (
        commands.pages()
        | fault_grid.pages()
        | hooks.pages()
        | plugins.pages()
        | providers.pages()
        | python_api.pages()
        | records.pages()
    )


def main() -> None:
    for name, text in pages().items():
        path = REFERENCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
