from __future__ import annotations

import pytest

from relightflow.errors import Exit
from relightflow.model.merged import DoublePurchase, Merged
from relightflow.model.plan import Shard
from relightflow.model.restoration import NOTHING

FIRST, SECOND = Shard(1, 2), Shard(2, 2)
TWICE = (DoublePurchase("k" * 64, 2, 100),)


def merged(*codes: Exit, missing: int = 0, double: int = 0) -> Merged:
    shards = tuple((FIRST, "folder", code) for code in codes)
    return Merged(NOTHING, shards, (SECOND,) * missing, TWICE * double)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (merged(Exit.OK, Exit.OK), Exit.OK),
        (merged(Exit.OK, Exit.JOBS_FAILED, Exit.UNKNOWN), Exit.UNKNOWN),
        (merged(Exit.INTERRUPTED, Exit.OK), Exit.EARLY),
        (merged(Exit.TERMINATED, Exit.JOBS_FAILED), Exit.JOBS_FAILED),
        (merged(Exit.OK, missing=1), Exit.EARLY),
        (merged(Exit.BUDGET, missing=1), Exit.BUDGET),
        (merged(Exit.OK, double=1), Exit.JOBS_FAILED),
        (merged(Exit.OK, missing=1, double=1), Exit.JOBS_FAILED),
    ],
)
def test_a_merge_ends_with_the_gravest_code_and_what_can_be_resumed_is_early(
    found: Merged, code: Exit
) -> None:
    assert found.exit is code
