from relightflow.model.spending import DAY, Charge, Kind, Spending
from relightflow.report.spending import spending, spending_document
from relightflow.run.limits.spend import spending as summed

NOW = 1_800_000_000.0


def found(days: int = 2) -> Spending:
    return summed(
        [
            Charge(n, "spring", "studio", "glow", NOW + n * DAY, Kind.SPENT, 50_000, 0, None)
            for n in range(days)
        ]
    )


def test_each_part_has_a_table_and_costs_are_shown_as_reported_and_as_counted() -> None:
    said = spending(found())
    for head in ("recipe", "model", "month (UTC)", "day (UTC)", "in all"):
        assert head in said
    assert "studio glow" in said
    assert "2027-01-16" in said
    row = next(line for line in said.splitlines() if line.startswith("spring"))
    assert row.split("  ")[1].strip() == "2"
    assert "0.00 USD" in row
    assert row.rstrip().endswith("0.10 USD")


def test_only_the_last_days_are_listed() -> None:
    said = spending(found(40))
    assert "the last 31 of 40 days" in said
    assert "2027-01-15" not in said


def test_nothing_spent_is_said() -> None:
    assert spending(summed([])) == "nothing was spent with this state"


def test_json_has_every_day_in_dollars() -> None:
    document = spending_document(found(40))
    assert len(document["days"]) == 40
    assert document["total"]["counted_usd"] == 2.0
    assert document["recipes"][0]["name"] == "spring"
