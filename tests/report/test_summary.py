from dataclasses import replace

from relightflow.errors import Exit
from relightflow.model.summary import Counts, Issue, Money, Summary
from relightflow.report.summary import summary as words


def test_a_good_run_is_told_in_four_lines(summary: Summary) -> None:
    assert words(summary).splitlines() == [
        "spring: 4 of 4 jobs in place (3 made, 1 reused), 12 s",
        "  images    /p/out",
        "  manifest  /p/.relightflow/runs/x/manifest.jsonl",
        "  money     0.15 USD spent, cap 1.00 USD (--max-cost)",
    ]


def test_a_run_with_nothing_to_do_says_that_all_was_there(summary: Summary) -> None:
    said = words(replace(summary, counts=Counts(4, 0, 4, 0, 0, 0, 0, 0, 0, 0)))
    assert said.startswith("spring: 4 of 4 jobs in place (all reused), ")


def test_a_run_without_images_says_so(summary: Summary) -> None:
    said = words(replace(summary, counts=Counts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    assert said.startswith("spring: no image found or selected; nothing to make")


def test_the_balance_is_called_that_of_the_beginning(summary: Summary) -> None:
    said = words(replace(summary, money=Money(900_000, 0, 0, None, "", 100_000_000)))
    assert "0.90 USD spent, balance 100.00 USD before the run" in said


def test_a_free_run_speaks_of_no_money(summary: Summary) -> None:
    assert "USD" not in words(replace(summary, money=Money(0, 0, 0, None, "")))


def test_money_in_doubt_is_told(summary: Summary) -> None:
    said = words(replace(summary, money=Money(0, 100_000, 50_000, None, "")))
    assert "0.00 USD spent, 0.10 USD in flight, 0.05 USD unknown" in said


def test_every_trouble_is_listed_and_the_gravest_code_explained(summary: Summary) -> None:
    issues = (
        Issue(Exit.JOBS_FAILED, "refused; not billed", ("a.png", "b.png"), 7),
        Issue(Exit.UNKNOWN, "no answer; may have been billed", ("c.png",)),
    )
    said = words(replace(summary, issues=issues)).splitlines()
    assert said[4:] == [
        "! 7 × refused; not billed",
        "    a.png",
        "    b.png",
        "    and 5 more",
        "! no answer; may have been billed",
        "    c.png",
        "exit 5: unknown outcomes remain: they may have been billed",
    ]


def test_untrusted_text_is_escaped(summary: Summary, evil: str) -> None:
    issue = Issue(Exit.JOBS_FAILED, f"server said {evil}", (evil,))
    assert "\x1b" not in words(replace(summary, issues=(issue,), recipe=evil))


def test_the_next_command_stands_last(summary: Summary) -> None:
    said = words(replace(summary, next_command="relightflow run a.yaml"))
    assert said.splitlines()[-1] == "next: relightflow run a.yaml"


def test_what_lies_in_the_reader_s_folder_is_shown_by_its_short_path(summary: Summary) -> None:
    lines = words(summary, folder="/p").splitlines()
    assert lines[1:3] == ["  images    out", "  manifest  .relightflow/runs/x/manifest.jsonl"]


def test_facts_are_wrapped_under_themselves(summary: Summary) -> None:
    money = Money(150_000, 100_000, 50_000, 1_000_000, "confirmed on the terminal")
    lines = words(replace(summary, money=money), 60).splitlines()
    assert lines[3].startswith("  money     0.15 USD spent")
    assert lines[4].startswith("            ")


def test_troubles_are_wrapped_for_a_terminal(summary: Summary) -> None:
    issue = Issue(Exit.JOBS_FAILED, "many words " * 20)
    lines = words(replace(summary, issues=(issue,)), 60).splitlines()
    assert max(map(len, lines[4:])) <= 60
