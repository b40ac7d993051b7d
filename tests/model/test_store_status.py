from relightflow.model.store_status import RunShare, StoreStatus


def test_the_total_is_of_all_machines() -> None:
    one = RunShare("a", "r", "spring", 2, 10, 1, 5, 3, 7.0)
    two = RunShare("b", "s", "autumn", 1, 4, 0, 0, 2, 9.0)
    assert StoreStatus("u", "i", True, 3, 0, 3, (one, two)).total == RunShare(
        "", "", "", 3, 14, 1, 5, 5, 9.0
    )
    assert StoreStatus("u", "i", True, 3, 0, 0, ()).total.last == 0
