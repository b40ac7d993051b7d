"""Several backends in one run: side by side, one ledger and one cap, and each with its own account."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relightflow import api
from relightflow.errors import AccountError, Exit
from relightflow.model.attempt import State
from relightflow.model.catalog import Price
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.money import Micros
from relightflow.model.plan_file import PlanFile, PlannedRequest
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plan.drift import drift
from relightflow.plan.planned import price_given, recipe_plan
from relightflow.plugins.backend import Call, Settlement
from relightflow.plugins.records import BackendContext, OperatorPolicy
from relightflow.plugins.registry import Loaded
from relightflow.recipe.published import published
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.spend import priced_models
from relightflow.run.plan_status import plan_status
from relightflow.store.state_dir import StateDir
from tests.conftest import Stage, make_store
from tests.scripted_backend import PRICE, NamedBackend, Provider, ScriptedBackend, fails, record

NAMES = "{image.stem}-{backend}-{shade}.{ext}"


class Mixed(Stage):
    """The studio, and a second provider `atelier` with books of its own."""

    def add(self, backend: type[ScriptedBackend] = ScriptedBackend) -> Provider:
        other = Provider()
        made = replace(record(other, backend=backend), name="atelier")
        backends = {**self.registry.backends, "atelier": Loaded(made, "test")}
        self.registry = replace(self.registry, backends=backends)
        return other

    def mix(self, backends: list[dict[str, Any]], shades: list[int], **limits: Any) -> None:
        self.recipe(shades, sinks=[{"type": "directory", "path": "out/", "name": NAMES}], **limits)
        text = self.path.read_text()
        old = next(line for line in text.splitlines() if line.startswith("backend:"))
        self.path.write_text(text.replace(old, f"backend: {json.dumps(backends)}"))


BOTH = [{"type": "studio"}, {"type": "atelier"}]


@pytest.fixture
def mixed(stage: Stage) -> Mixed:
    return Mixed(stage.folder)


def test_each_backend_makes_its_cells_and_the_next_run_makes_nothing(mixed: Mixed) -> None:
    other = mixed.add()
    mixed.mix([*BOTH, {"type": "studio", "model": "gift", "as": "free"}], [0, 1])
    summary = mixed.run()
    assert (summary.exit, summary.counts.made, summary.money.spent) == (0, 6, 4 * PRICE)
    assert (len(mixed.provider.bill), len(other.bill)) == (4, 2)
    names = [f"a-{name}-{shade}.png" for name in ("atelier", "free", "studio") for shade in (0, 1)]
    assert mixed.images() == names
    assert (summary.backend, summary.model) == ("studio, atelier, free", "glow, glow, gift")
    assert mixed.run().counts.reused == 6


def test_a_second_backend_buys_nothing_of_the_first_again(mixed: Mixed) -> None:
    mixed.recipe([0, 1, 2])
    mixed.run()
    first = [*mixed.provider.bill]
    other = mixed.add()
    mixed.mix(BOTH, [0, 1, 2])
    summary = mixed.run()
    assert (mixed.provider.bill, len(other.bill)) == (first, 3)
    assert (summary.counts.reused, summary.counts.made) == (3, 3)
    mixed.recipe([0, 1, 2])
    assert mixed.run().counts.reused == 3, "nor when it is taken out again"


def test_one_cap_holds_for_all_and_is_used_to_the_cent(mixed: Mixed) -> None:
    other = mixed.add()
    mixed.mix(BOTH, [0, 1, 2, 3])
    summary = mixed.run(cap=5 * PRICE)
    assert summary.exit is Exit.BUDGET
    assert len(mixed.provider.bill) + len(other.bill) == 5
    assert mixed.run(cap=8 * PRICE).exit == 0


def test_a_share_stops_its_own_backend_alone(mixed: Mixed) -> None:
    other = mixed.add()
    share = {"type": "atelier", "limits": {"max_cost": 2 * PRICE / 1e6}}
    mixed.mix([{"type": "studio"}, share], [0, 1, 2, 3])
    summary = mixed.run()
    assert (len(mixed.provider.bill), len(other.bill), summary.exit) == (4, 2, Exit.BUDGET)
    (issue,) = [issue for issue in summary.issues if issue.exit is Exit.BUDGET]
    assert issue.message.startswith("atelier: the cap of 0.10 USD (backend[1].limits.max_cost)")
    assert "what this backend may cost in total in this recipe" in issue.message
    assert mixed.run().exit is Exit.BUDGET, "running again never passes it"
    assert len(other.bill) == 2


def test_a_share_is_named_as_the_file_has_it_where_its_backend_runs_alone(mixed: Mixed) -> None:
    mixed.add()
    share = {"type": "atelier", "limits": {"max_cost": 0.25}}
    mixed.mix([{"type": "studio"}, share], [0])
    recipe = api.load(mixed.path, mixed.registry, (), "atelier")
    found = [model.share and model.share.source for model in priced_models(recipe, RunOptions())]
    assert found == ["backend[1].limits.max_cost"]


def test_missing_keys_are_named_together_before_anything_is_sent(mixed: Mixed) -> None:
    class Locked(ScriptedBackend):
        async def open(self) -> None:
            raise AccountError(f"no key for {type(self).__name__}")

    class Other(Locked):
        pass

    mixed.add(Other)
    locked = replace(record(mixed.provider, backend=Locked), name="locked")
    backends = {**mixed.registry.backends, "locked": Loaded(locked, "test")}
    mixed.registry = replace(mixed.registry, backends=backends)
    mixed.mix([*BOTH, {"type": "locked"}], [0, 1])
    with pytest.raises(AccountError, match=r"no key for Other; no key for Locked"):
        mixed.run()
    assert mixed.provider.submits == []
    mixed.recipe([0, 1])
    mixed.run()
    mixed.mix([{"type": "studio"}, {"type": "locked"}], [0, 1])
    assert mixed.run(collect_only=True).counts.reused == 2, "what is there is delivered without"


def test_a_backend_whose_account_needs_a_person_stops_alone(mixed: Mixed) -> None:
    other = mixed.add()

    def broke(_: object, number: int) -> None:
        if number:
            raise fails(FailureKind.ACCOUNT)

    other.on_submit = broke
    mixed.mix(BOTH, [0, 1, 2, 3, 4, 5], concurrency=1)
    summary = mixed.run()
    assert (len(mixed.provider.bill), len(other.bill)) == (6, 1)
    assert summary.exit is Exit.ACCOUNT
    other.on_submit = lambda *_: None
    assert mixed.run().exit == 0
    assert len(other.bill) == 6


def test_backends_work_side_by_side_each_at_its_own_width(mixed: Mixed) -> None:
    other = mixed.add()
    in_flight: Counter[str] = Counter()
    most: Counter[str] = Counter()
    full = asyncio.Event()

    async def together(call: Call, _: int) -> Any:
        """Nobody is answered before both providers are as busy as they may be."""
        in_flight[call.job.backend] += 1
        most.update(
            {call.job.backend: 1} if in_flight[call.job.backend] > most[call.job.backend] else {}
        )
        if in_flight == {"studio": 2, "atelier": 4}:
            full.set()
        await full.wait()
        in_flight[call.job.backend] -= 1

    mixed.provider.on_submit = together
    other.on_submit = together
    wide = {"type": "atelier", "limits": {"concurrency": 4}}
    mixed.mix([{"type": "studio"}, wide], [0, 1, 2, 3, 4], concurrency=2)
    assert mixed.run().exit == 0
    assert most == {"studio": 2, "atelier": 4}


def test_each_doubt_is_settled_by_its_own_backend(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = mixed.add()
    mixed.settle(Settlement("key", 3600.0), NamedBackend)

    def lost(_: object, __: int) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    mixed.provider.on_answer = lost
    other.on_submit = lost
    mixed.mix(BOTH, [0, 1])
    assert mixed.run_in_no_time(monkeypatch).counts.unknown == 4
    mixed.provider.on_answer = lambda *_: None
    other.on_submit = lambda *_: None
    summary = mixed.run_in_no_time(monkeypatch)
    states = Counter((a.backend, a.state) for a in mixed.attempts())
    assert states[("studio", State.STORED)] + states[("studio", State.DONE)] == 2
    assert states[("atelier", State.UNKNOWN)] == 2, "it has no records: a person decides"
    assert (len(mixed.provider.bill), len(other.bill)) == (2, 0)
    assert summary.exit is Exit.UNKNOWN


def accepted(mixed: Mixed, *providers: Provider) -> None:
    """A run whose calls are all accepted, and none of them is collected."""
    for provider in providers:
        provider.mode = "v2"
        provider.on_collect = lambda *_: (_ for _ in ()).throw(fails(FailureKind.ACCOUNT))
    mixed.run()
    assert {*mixed.states()} == {State.ACCEPTED}
    for provider in providers:
        provider.on_collect = lambda *_: None


def test_what_an_earlier_run_left_is_collected_for_each(mixed: Mixed) -> None:
    other = mixed.add()
    mixed.mix(BOTH, [0, 1])
    accepted(mixed, mixed.provider, other)
    assert mixed.run().exit == 0
    assert len(mixed.images()) == 4
    assert (len({*mixed.provider.bill}), len({*other.bill})) == (2, 2)
    assert (len(mixed.provider.bill), len(other.bill)) == (2, 2)


def test_what_was_bought_is_fetched_though_another_backends_key_is_missing(mixed: Mixed) -> None:
    class Locked(ScriptedBackend):
        async def open(self) -> None:
            raise AccountError("no key for atelier")

    mixed.recipe([0])
    accepted(mixed, mixed.provider)
    mixed.add(Locked)
    mixed.mix(BOTH, [0, 1])
    with pytest.raises(AccountError, match="no key for atelier"):
        mixed.run()
    assert mixed.states() == [State.STORED]
    assert len(mixed.provider.submits) == 1


def test_a_model_of_the_same_backend_has_the_same_account_and_its_own_price(mixed: Mixed) -> None:
    seen: list[BackendContext] = []
    made = record(mixed.provider)
    assert callable(made.create)
    create = made.create

    def noted(context: BackendContext) -> Any:
        seen.append(context)
        return create(context)

    backends = {**mixed.registry.backends, "studio": Loaded(replace(made, create=noted), "test")}
    mixed.registry = replace(mixed.registry, backends=backends)
    mixed.mix([{"type": "studio"}, {"type": "studio", "model": "dear", "as": "dear"}], [0, 1])
    summary = mixed.run()
    assert summary.money.spent == 2 * PRICE + 2 * 2 * PRICE
    assert sorted(context.model.name for context in seen) == ["dear", "glow"]


def test_a_list_with_one_entry_gives_the_same_bytes_as_the_entry(mixed: Mixed) -> None:
    mixed.recipe([0, 1], sinks=[{"type": "directory", "path": "out/", "name": NAMES}])
    before = mixed.path.read_text()
    mixed.run()
    names, manifest = mixed.images(), (mixed.out / "manifest.jsonl").read_text()
    mixed.mix(
        [{"type": "studio", "model": "glow", "as": "mine", "limits": {"max_cost": 1}}], [0, 1]
    )
    assert mixed.path.read_text() != before
    assert mixed.run().counts.reused == 2
    assert mixed.images() == names == ["a-studio-0.png", "a-studio-1.png"]
    head, *records = (mixed.out / "manifest.jsonl").read_text().splitlines()
    other, *others = manifest.splitlines()
    assert records == others
    for one in (head, other):
        facts = json.loads(one)
        assert facts["recipe"].pop("sha256")  # of the file, which has changed
        assert "backends" not in facts
    assert json.loads(head)["backend"] == json.loads(other)["backend"] == "studio"


def test_the_manifest_says_which_backend_made_what(mixed: Mixed) -> None:
    mixed.add()
    mixed.mix([{"type": "studio"}, {"type": "atelier", "model": "dear", "as": "best"}], [0, 1])
    mixed.run()
    records = [json.loads(line) for line in (mixed.out / "manifest.jsonl").read_text().splitlines()]
    validator = jsonschema.Draft7Validator(published("manifest-record"))
    for record_ in records:
        validator.validate(record_)
    head, *outputs = records
    assert head["backends"] == [
        {"label": "studio", "backend": "studio", "model": "glow"},
        {"label": "best", "backend": "atelier", "model": "dear"},
    ]
    assert (head["backend"], head["model"]) == ("studio, best", "glow, dear")
    assert [(one["cell"]["backend"], one["cost"]) for one in outputs] == [
        ("studio", 0.05), ("studio", 0.05), ("best", 0.1), ("best", 0.1),
    ]  # fmt: skip
    assert all("backend" not in one["parameters"] for one in outputs)


def test_a_plan_of_several_backends_is_applied_and_a_dearer_one_is_refused(mixed: Mixed) -> None:
    mixed.add()
    mixed.mix(BOTH, [0, 1])
    plan, limits = mixed.plan(), RunOptions((SpendLimit(10**9, "a test"),))
    status = plan_status(plan, mixed.state_dir)
    cost = api.estimate_cost(plan, status, limits, mixed.state_dir)
    assert [(b.label, b.calls, b.price) for b in cost.backends] == [
        ("studio", 2, Price(2 * PRICE, 2 * PRICE)), ("atelier", 2, Price(2 * PRICE, 2 * PRICE)),
    ]  # fmt: skip
    made = recipe_plan(plan, status, cost, PlannedRequest("recipe.yaml"))
    assert drift(made, made) == ()
    dearer = replace(made.backends[1], reserved=2 * PRICE)
    (found,) = drift(made, replace(made, backends=(made.backends[0], dearer)))
    assert found.message == "a call of atelier costs up to 0.10 USD, 0.05 in the plan"
    other = replace(made.backends[1], model="dear")
    assert drift(made, replace(made, backends=(made.backends[0], other)))[0].kind == "backend"


def test_what_an_earlier_run_left_is_collected_by_the_adapter_of_its_own_model(
    mixed: Mixed,
) -> None:
    both = [{"type": "studio"}, {"type": "studio", "model": "dear", "as": "dear"}]
    mixed.mix(both, [0, 1])
    accepted(mixed, mixed.provider)
    assert mixed.run().exit == 0
    costs = {attempt.model: attempt.cost for attempt in mixed.attempts()}
    assert costs == {"glow": PRICE, "dear": 2 * PRICE}
    mixed.recipe([2])
    mixed.provider.on_collect = lambda *_: (_ for _ in ()).throw(fails(FailureKind.ACCOUNT))
    mixed.run()
    assert State.ACCEPTED in mixed.states()
    mixed.mix(
        [{"type": "studio", "model": "gift"}, {"type": "studio", "model": "dear", "as": "d"}], [0]
    )
    mixed.provider.on_collect = lambda *_: None
    mixed.run()
    assert not [a for a in mixed.attempts() if a.state is State.ACCEPTED], (
        "glow is nobody's, so that of the first that is paid for"
    )


def test_two_machines_share_what_each_backend_made(mixed: Mixed, tmp_path: Path) -> None:
    other = mixed.add()
    (tmp_path / "store").mkdir()
    mixed.operator = replace(mixed.operator, store=make_store((tmp_path / "store").as_uri()))
    mixed.mix([*BOTH, {"type": "studio", "model": "gift", "as": "free"}], [0, 1])
    assert mixed.run().exit == 0
    mixed.state_dir = StateDir(tmp_path / "second")
    summary = mixed.run(overwrite=True)
    assert (len(mixed.provider.bill), len(other.bill)) == (2 + 2 + 2, 2), (
        "only the gifts are made again"
    )
    assert summary.exit == 0
    assert {a.details.get("origin") for a in mixed.attempts() if a.price} == {"shared"}


def test_what_another_model_of_a_backend_has_in_doubt_is_collected_and_booked_as_its_own(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(f"file://{mixed.folder}/shared")
    mixed.operator = OperatorPolicy(store=store)
    mixed.settle(Settlement("key", 3600.0), NamedBackend)

    def lost(call: Call, _: int) -> None:
        if call.job.model != "gift":
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    mixed.provider.on_answer = lost
    gift = {"type": "studio", "model": "gift", "as": "gift"}
    mixed.mix([gift, {"type": "studio"}, {"type": "studio", "model": "dear", "as": "dear"}], [0])
    assert mixed.run_in_no_time(monkeypatch).counts.unknown == 2
    mixed.provider.on_answer = lambda *_: None
    summary = mixed.run_in_no_time(monkeypatch)
    assert (summary.exit, summary.money.spent) == (0, 3 * PRICE)
    costs = {a.model: a.cost for a in mixed.attempts()}
    assert costs == {"gift": 0, "glow": PRICE, "dear": 2 * PRICE}
    assert Counter(mixed.provider.bill).most_common(1)[0][1] == 1
    told = [path.name.split(".")[3] for path in (mixed.folder / "shared/costs/demo").glob("*/*")]
    assert sorted(told) == [str(2 * PRICE), str(PRICE)]
    assert not any((mixed.folder / "shared/inflight").iterdir())


def test_a_doubt_that_is_settled_in_its_own_run_counts_once_and_as_its_own_model_s(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed.settle(Settlement("key", 3600.0), NamedBackend)
    seen: list[list[Micros]] = []
    settle = Budget.settle

    def noted(self: Budget, *facts: Any) -> Any:
        found = settle(self, *facts)
        seen.append([self.committed(account) for account in self.accounts])
        return found

    monkeypatch.setattr(Budget, "settle", noted)

    def lost(call: Call, number: int) -> None:
        if call.job.model == "glow" and number < 2:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    mixed.provider.on_answer = lost
    glow = {"type": "studio", "limits": {"max_cost": 1.00}}
    mixed.mix([{"type": "studio", "model": "dear", "as": "dear"}, glow], [0])
    assert mixed.run(wait=True).exit == 0
    assert seen[-1] == [3 * PRICE, PRICE], "of the cap and of the share"


def test_the_store_settles_doubts_of_a_backend_whose_first_model_is_free(mixed: Mixed) -> None:
    """As a ledger from a backup has them: the claim knows more than it does."""
    mixed.operator = OperatorPolicy(store=make_store(f"file://{mixed.folder}/shared"))
    mixed.mix([{"type": "studio", "model": "gift", "as": "gift"}, {"type": "studio"}], [0])
    mixed.provider.mode = "v2"
    mixed.provider.on_collect = lambda step, _: (_ for _ in ()).throw(fails(FailureKind.ACCOUNT))
    mixed.run()
    mixed.provider.on_collect = lambda *_: None
    with closing(sqlite3.connect(mixed.state_dir.ledger)) as db, db:
        changed = "UPDATE attempt SET state = 'UNKNOWN', request_id = '', billed = 'unknown' WHERE model = 'glow'"
        assert db.execute(changed).rowcount == 1
    summary = mixed.run()
    assert (summary.exit, summary.counts.unknown) == (0, 0)
    assert len(mixed.provider.bill) == len({*mixed.provider.bill}) == 2


def test_a_plan_file_keeps_the_price_that_was_given_for_the_one_model_that_has_none(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a dearer one, whose price it is not."""
    riddle = {"type": "studio", "model": "riddle", "as": "riddle"}
    mixed.mix([riddle, {"type": "studio", "model": "dear", "as": "dear"}], [0])
    monkeypatch.chdir(mixed.folder)
    options = RunOptions(limits=(SpendLimit(9 * PRICE, "--max-cost"),), price=PRICE)
    plan = mixed.plan()
    status = plan_status(plan, mixed.state_dir)
    cost = api.estimate_cost(plan, status, options, mixed.state_dir)
    planned = recipe_plan(plan, status, cost, PlannedRequest("recipe.yaml"))
    assert planned.call == Price(2 * PRICE, 2 * PRICE)
    assert price_given(planned, plan.recipe) == PRICE
    file = PlanFile((planned,), file="plan.json")
    options = replace(options, price=None)
    found = api.compare(
        planned, file, mixed.registry, mixed.operator, options, mixed.state_dir.root
    )
    assert (found.drift, found.now.backends) == ((), planned.backends)
