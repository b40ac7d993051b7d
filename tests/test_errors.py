import pytest

from relightflow.errors import Exit, gravest


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ([], Exit.OK),
        ([Exit.OK, Exit.WORK_TO_DO], Exit.WORK_TO_DO),
        ([Exit.WORK_TO_DO, Exit.INVALID], Exit.INVALID),
        ([Exit.JOBS_FAILED, Exit.EARLY], Exit.JOBS_FAILED),
        ([Exit.BUDGET, Exit.INVALID, Exit.JOBS_FAILED], Exit.BUDGET),
        ([Exit.UNKNOWN, Exit.DAMAGED, Exit.STORAGE], Exit.STORAGE),
        ([Exit.STORAGE, Exit.INTERRUPTED], Exit.INTERRUPTED),
    ],
)
def test_of_several_codes_the_gravest_is_told(held: list[Exit], told: Exit) -> None:
    assert gravest(held) == told


def test_no_code_is_lost() -> None:
    assert all(gravest([code]) == code for code in Exit)


def test_every_code_has_a_meaning() -> None:
    assert all(code.meaning for code in Exit)
