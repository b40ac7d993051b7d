"""Collects every problem of one recipe, each with its place, and ends the reading if there is one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from relightflow.core.project import Project
from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.recipe import Position
from relightflow.recipe.tree import Node, Step, key_position, position
from relightflow.recipe.wording import step

MOST = 100
"""Problems that are told; a file that is no recipe at all has thousands."""


class Findings:
    def __init__(self, tree: Node, flaws: Iterable[Problem] = (), folder: Path = Path()) -> None:
        """`folder`: the recipe's."""
        self.tree = tree
        self.project = Project.of(folder)
        self._file = tree.position.file
        self._problems = list(flaws)
        # a value that could not be read is told once, not once more for what it was replaced by
        self._known = {(p.file, p.line, p.column) for p in self._problems}

    def at_value(self, steps: tuple[Step, ...], message: str) -> None:
        self._add(position(self.tree, steps), steps, message)

    def at_key(self, steps: tuple[Step, ...], message: str) -> None:
        self._add(key_position(self.tree, steps), steps, message)

    def _add(self, at: Position, steps: tuple[Step, ...], message: str) -> None:
        if (at.file, at.line, at.column) in self._known and at.line:
            return
        path = spelled(steps)
        said = "" if at.file == f"--set {path}" else path
        self._problems.append(Problem(at.file, at.line, at.column, said, message))
        if len(self._problems) > MOST:
            self.settle()

    def settle(self) -> None:
        """Raise InvalidRecipe with all problems, in the file's order, those of `--set` last."""
        if not self._problems:
            return
        # line 0 is the command line, or the file as a whole where nothing else can be wrong
        told = sorted(set(self._problems), key=lambda p: (p.line == 0, p))
        if len(told) > MOST:
            more = f"there are more problems; these are the first {MOST}"
            told = [*told[:MOST], Problem(self._file, 0, 0, "", more)]
        raise InvalidRecipe(told)


def spelled(steps: Iterable[Step]) -> str:
    path = ""
    for one in steps:
        path = step(path, one)
    return path
