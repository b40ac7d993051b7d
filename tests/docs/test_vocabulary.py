"""Pages, help, schemas and messages speak the field's language: none of the words that were replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = re.compile(
    r"\bpictures?\b|\btorture|\bthe house\b|\brooms? of\b|\bother rooms?\b|\bmade anew\b"
    r"|\bserves nobody\b|(?<!there )\bis no (?:[a-z]+ ){0,2}(?:picture|image|duration|day|number|list|mapping|"
    r"rate|price|file|place|name|address|key|option)\b|\bthere is no such\b|\bby itself\b"
    r"|\bby themselves\b|\bgo on\b|\bmade for nothing\b|\bin the air\b|\bMake room\b"
    r"|\bpurse\b|\bdesk\b|\bkept aside\b|\bput aside\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"`[^`]*`|\"verdict\"|go on the same|<picture>|\\bpicture\\b")
"""Code in a sentence, and the field `verdict` of a pick, which is a format that others write."""
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "recipes/*", "recipes/photos/*.md", "schemas/*.json")
    for path in ROOT.glob(pattern)
    if path.is_file()
)
CODE = sorted([*(ROOT / "relightflow").rglob("*.py"), *(ROOT / "docs").glob("*.py")])


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def old_words(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [match[0] for match in OLD.finditer(ALLOWED.sub("", prose))]


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_a_page_uses_none_of_the_words_that_were_replaced(path: Path) -> None:
    assert not old_words(path.read_text(encoding="utf-8"))


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what a module says to its users: text constants, but no docstring of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    quiet = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
        if not _is_help(node)
    }
    attribute = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)} - {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and _is_help(node)
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in quiet | attribute:
                yield node.lineno, text


def _is_help(node: ast.AST) -> bool:
    """A click command's docstring is what `-h` prints."""
    return isinstance(node, ast.FunctionDef) and node.name == "command"


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_message_uses_none_of_the_words_that_were_replaced(path: Path) -> None:
    found = [(line, words) for line, text in messages(path) if (words := old_words(text))]
    assert not found


def test_an_old_word_is_seen() -> None:
    assert old_words("it is no picture") == ["is no picture"]
    assert not old_words("not a supported image; see `picture`")
