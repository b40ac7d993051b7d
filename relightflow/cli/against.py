"""`plan --against`: what the recipes were at a commit or in a plan file, and what has changed since."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from relightflow import api
from relightflow.errors import RelightflowError, UsageError
from relightflow.model.plan import Selection
from relightflow.model.plan_file import PlanFile, PlannedRequest, RecipePlan
from relightflow.plan import file as plan_file
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.store.git_tree import Tree, laid_out
from relightflow.store.state_dir import StateDir
from relightflow.store.worktrees import repository_of


@dataclass(slots=True)
class Baseline:
    """What there was. `stack` keeps the files of a commit until it is closed."""

    against: str
    """A commit, or a plan file."""
    registry: Registry
    operator: OperatorPolicy
    stack: ExitStack

    _trees: dict[Path, Tree] = field(default_factory=dict)
    _file: PlanFile | None = None

    def before(
        self, recipe: Path, request: PlannedRequest, selection: Selection, state_dir: StateDir
    ) -> tuple[RecipePlan | None, str]:
        """The recipe's plan as it was, and why there is none if something is wrong. Raises UsageError
        where the baseline as a whole cannot be read."""
        if self.against.endswith(".json") or Path(self.against).is_file():
            return self._of_file(request), ""
        tree = self._tree(recipe)
        try:
            found = api.plan_at(
                tree.root, request, selection, self.registry, self.operator, state_dir
            )
        except RelightflowError as problem:
            said = str(problem).replace(str(tree.root), self.against)
            return None, f"the recipe at {self.against} cannot be planned, so all is new: {said}"
        missing = (
            f"{tree.missing:,} images of {self.against} are in Git LFS and not here, so they count as "
            "new; 'git lfs fetch' gets them"
        )
        return found, missing if tree.missing else ""

    def _of_file(self, request: PlannedRequest) -> RecipePlan | None:
        if self._file is None:
            self._file = plan_file.read(Path(self.against))
        plans = self._file.plans
        return next((plan for plan in plans if plan.request.path == request.path), None)

    def _tree(self, recipe: Path) -> Tree:
        root = repository_of(Path(os.path.realpath(recipe)).parent)
        if root is None:
            raise UsageError(
                f"--against {self.against}: {recipe} is in no git repository; name a plan file instead"
            )
        if root not in self._trees:
            self._trees[root] = self.stack.enter_context(laid_out(root, self.against))
        return self._trees[root]
