from dataclasses import replace
from datetime import datetime

from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed
from relightflow.model.status import LastRun, Status
from relightflow.model.values import FrozenMap
from relightflow.report.status import status as words


def doubt(number: int = 1, reason: str = "no answer") -> Attempt:
    return Attempt(
        number, "f" * 64, "r", State.UNKNOWN, "studio", "glow", "a" * 64, FrozenMap(), 0,
        50_000, None, Billed.UNKNOWN, "", "https://secret/x", "", reason, 0.0, 0.0,
    )  # fmt: skip


def status(last: LastRun | None = None, doubts: tuple[Attempt, ...] = ()) -> Status:
    unknown = 50_000 * len(doubts)
    return Status("/p/.relightflow", last, 1_200_000, 0, unknown, ((State.DONE, 24),), doubts)


def test_a_state_that_was_never_used() -> None:
    assert "last run   none yet" in words(status())


def test_the_last_run_is_told_with_its_end() -> None:
    said = words(status(LastRun("id", "spring", 0.0, 9.0, 7)))
    assert said.splitlines()[1].endswith("run id: exit 7, the budget was reached")


def test_a_run_without_an_end_may_have_been_killed() -> None:
    assert "running, or killed" in words(status(LastRun("id", "spring", 0.0, None, None)))


def test_money_and_states_are_told() -> None:
    said = words(status())
    assert "spent      1.20 USD" in said
    assert "calls      24 DONE" in said


def test_every_call_in_doubt_is_listed_with_its_price() -> None:
    said = words(status(doubts=(doubt(),)))
    assert "1 call, 0.05 USD: may have been billed" in said
    assert "ffffffffffffffff  0.05 USD" in said


def test_what_a_server_said_is_escaped_and_the_url_is_kept_secret() -> None:
    said = words(status(doubts=(doubt(reason="\x1b]0;x"),)))
    assert "\x1b" not in said
    assert "secret" not in said


def test_results_that_the_provider_deletes_soon_are_told_with_the_time() -> None:
    at = datetime(2026, 11, 27, 19, 5).astimezone().timestamp()
    said = words(replace(status(), waiting=3, collect_by=at))
    assert (
        "collect by  2026-11-27 19:05:00: then the provider deletes the first of 3 paid results"
        in said
    )
    assert "collect by" not in words(status())


def test_a_long_list_says_how_many_more() -> None:
    said = words(status(doubts=tuple(doubt(n) for n in range(25))))
    assert said.endswith("and 5 more (--json lists all)")
