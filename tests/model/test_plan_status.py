from __future__ import annotations

import pytest

from relightflow.model.plan_status import PlanStatus


@pytest.mark.parametrize(("new", "collect", "work"), [(1, 0, True), (0, 1, True), (0, 0, False)])
def test_work_is_what_will_be_called_or_collected(new: int, collect: int, work: bool) -> None:
    status = PlanStatus(9, 5, new, collect, 3, 1, None, 0)
    assert status.work is work, "what is held is no work"
