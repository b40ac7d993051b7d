from __future__ import annotations

import pickle

from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused


def test_a_task_is_its_function_with_its_arguments() -> None:
    assert Task("sum", sum, ((1, 2),))() == 3


def test_why_a_task_was_not_done_survives_the_way_back() -> None:
    for problem in (ExecutorUnavailable("the scheduler is gone", gone=True), TaskRefused("no")):
        found = pickle.loads(pickle.dumps(problem))
        assert (type(found), str(found), found.gone) == (type(problem), str(problem), problem.gone)
