from relightflow.run.session import Notices


def test_a_notice_is_shown_every_time_and_kept_once() -> None:
    shown: list[str] = []
    notices = Notices(shown.append)
    for text in ("one", "two", "one"):
        notices.add(text)
    assert shown == ["one", "two", "one"]
    assert notices.seen == ("one", "two")
