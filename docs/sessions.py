"""The console sessions in the documentation: what a page shows after a command is what it prints.

    python -m docs.sessions             write the output under every `$ command` anew
    python -m docs.sessions PAGE...     only in these pages

A page takes part if it has a block of the kind `console`. Its commands run in order, in one folder
that holds a copy of `recipes/` and is the root of a git repository. `<!-- file: NAME -->` above a
block saves the block under that name first, and `<!-- run: COMMAND -->` runs a command that the page
does not show. Blocks of the kind `sh` are for commands that a page cannot run, such as an installation;
`<!-- not run -->` above a console block excludes it as well.

Output is compared without what differs from run to run: durations, times of day, run ids, the folder's
own path, and progress lines (`demo: 3 of 18 done, …`), which a terminal replaces by the summary.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = "/home/me"
"""What a page shows instead of the path of the temporary folder."""

_STEP = re.compile(
    r"^<!-- run: (?P<hidden>.*?) -->$"
    r"|(?:^<!-- (?:file: (?P<file>\S+)|(?P<idle>not run)) -->\n+)?"
    r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROGRESS = re.compile(r"^[\w-]+: \d+ of \d+ done(,.*)?$")
_VARIES = (
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (s|ms|min|h)\b"), "DURATION"),
    (re.compile(r"\btmp\.\w+"), "FOLDER"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "PORT"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command in a page, and what the page says that it prints."""

    command: str
    output: str
    start: int
    end: int
    """Where the output stands in the page's text."""


def pages() -> list[Path]:
    """Every page that shows a session which can be run."""
    found = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("recipes/**/*.md")]
    return sorted(page for page in found if any(_shown(page.read_text(encoding="utf-8"))))


def differences(page: Path) -> Iterator[tuple[str, str, str]]:
    """(command, output in the page, output now) wherever they differ by more than times."""
    for shown, now in _run(page.read_text(encoding="utf-8")):
        if comparable(shown.output) != comparable(now):
            yield shown.command, shown.output, now


def write(page: Path) -> bool:
    """Puts the present outputs into `page`; whether anything changed but times."""
    text = page.read_text(encoding="utf-8")
    changed = text
    for shown, now in reversed(list(_run(text))):
        if comparable(shown.output) != comparable(now):
            changed = changed[: shown.start] + now + changed[shown.end :]
    page.write_text(changed, encoding="utf-8")
    return changed != text


def comparable(output: str) -> str:
    """`output` without what differs from run to run."""
    lines = [line.rstrip() for line in output.splitlines() if not _PROGRESS.match(line)]
    text = "\n".join(lines)
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
    return text


def _shown(text: str) -> Iterator[Shown | tuple[str, str]]:
    """The commands of a page in order; a tuple is a file to write (its name, its text) or, with an
    empty name, a command that the page does not show."""
    steps = list(_STEP.finditer(text))
    if not any(step["kind"] == "console" and not step["idle"] for step in steps):
        return
    for step in steps:
        if step["hidden"] is not None:
            yield "", step["hidden"]
        elif step["file"]:
            yield step["file"], step["body"]
        elif step["kind"] == "console" and not step["idle"]:
            yield from _commands(step["body"], step.start("body"))


def _commands(body: str, offset: int) -> Iterator[Shown]:
    pattern = re.compile(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", re.MULTILINE)
    for match in pattern.finditer(body):
        yield Shown(
            match[1].replace("\\\n", "").strip(),
            match[2],
            offset + match.start(2),
            offset + match.end(2),
        )


def _run(text: str) -> Iterator[tuple[Shown, str]]:
    """Each shown command with what it prints now."""
    with tempfile.TemporaryDirectory() as scratch:
        session = _Session(Path(scratch))
        for step in _shown(text):
            match step:
                case Shown():
                    yield step, session.run(step.command)
                case ("", hidden):
                    session.run(hidden)
                case (name, content):
                    (session.folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (session.folder / name).write_text(content, encoding="utf-8")


class _Session:
    """A shell that remembers its folder and its exported variables from command to command."""

    def __init__(self, scratch: Path) -> None:
        self.home = scratch / "home"
        self.folder = self.home / "relightflow"
        kept = shutil.ignore_patterns("out", ".relightflow", "__pycache__")
        shutil.copytree(ROOT / "recipes", self.folder / "recipes", ignore=kept)
        (self.home / "tmp").mkdir()
        program = scratch / "bin/relightflow"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m relightflow "$@"\n')
        program.chmod(0o755)
        self._after = scratch / "after"
        self.environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LC_ALL": "C.UTF-8",
        }
        self.run("git init -q")

    def run(self, command: str) -> str:
        """What `command` prints on both outputs, in the order in which it says it."""
        dump = "import json,os,sys; print(json.dumps([os.getcwd(), dict(os.environ)]))"
        after = f"\n{sys.executable} -c '{dump}' >'{self._after}'"
        done = subprocess.run(  # noqa: S603  # the pages are ours
            ["/bin/sh", "-c", command + after],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        folder, self.environment = json.loads(self._after.read_text())
        self.folder = Path(folder)
        lines = done.stdout.replace(str(self.home), HOME).splitlines(keepends=True)
        return "".join(line for line in lines if not _PROGRESS.match(line))


def main(arguments: Sequence[str]) -> None:
    for page in [Path(name).resolve() for name in arguments] or pages():
        if write(page):
            sys.stdout.write(f"{page.relative_to(ROOT)}: written\n")


if __name__ == "__main__":
    main(sys.argv[1:])
