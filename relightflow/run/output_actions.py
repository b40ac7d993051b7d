"""What a run would do about each output of a plan, and why. Reads the ledger, the store, and the sinks
on this machine; buys, writes and delivers nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from relightflow.deliver.target import FAULTS, SinkTarget
from relightflow.ledger.reader import Reader
from relightflow.ledger.rows import Delivered
from relightflow.model.attempt import State
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.model.planned_output import OutputAction, PlannedOutput
from relightflow.plan.names import output_path
from relightflow.plan.outputs import outputs
from relightflow.plugins.sink import FileState, WriteReceipt
from relightflow.run.actions import Action, Item, items_of
from relightflow.run.plan_status import NO_STORE
from relightflow.run.restoring import StateReader, open_state_reader
from relightflow.run.shared.foresee import Elsewhere, StoreView
from relightflow.store.state_dir import StateDir

_CHUNK = 512
_ANY = "any"
"""Stands for the extension of a result that there is not yet."""


def output_actions(
    plan: Plan,
    state: StateDir | StateReader,
    targets: Sequence[SinkTarget],
    view: StoreView = NO_STORE,
) -> Iterator[PlannedOutput]:
    """Every output of `plan`, in its order. Blocks. `targets`: the recipe's sinks."""
    files = [target for target in targets if target.layout == "files"]
    every = outputs(plan)
    with open_state_reader(state) as seen:
        while chunk := list(islice(every, _CHUNK)):
            items = list(items_of(chunk, seen.ledger, seen.state_dir.blobs))
            make = {i.output.job.key: i.output.job for i in items if i.action is Action.MAKE}
            there = view.ask(list(make.values()), seen.ledger)
            known = [_deliveries(target, items, seen.ledger) for target in files]
            for item in items:
                yield _planned(item, there.get(item.output.job.key), files, known, view)


def _deliveries(
    target: SinkTarget, items: Sequence[Item], reader: Reader
) -> Mapping[str, Delivered]:
    results = ((i.output, i.job_state.result) for i in items if i.job_state)
    return reader.deliveries(target.id, [target.path(o, r) for o, r in results if r])


def _planned(
    item: Item,
    elsewhere: Elsewhere | None,
    files: Sequence[SinkTarget],
    known: Sequence[Mapping[str, Delivered]],
    view: StoreView,
) -> PlannedOutput:
    output, result = item.output, item.job_state.result if item.job_state else None
    if item.action is Action.REUSE and result:
        action, reason = _delivery(output, result, files, known)
    elif elsewhere is Elsewhere.FINISHED:
        action, reason = OutputAction.FROM_STORE, f"another machine bought it: {view}"
    elif elsewhere is Elsewhere.IN_FLIGHT:
        action, reason = OutputAction.COLLECT, f"another machine has claimed it: {view}"
    elif elsewhere is Elsewhere.FAILED:
        action, reason = OutputAction.HELD, f"another machine paid, and got no image: {view}"
    else:
        action, reason = _call(item)
    first = files[0] if files else None
    return PlannedOutput(
        output, action, reason, first.sink.location if first else "",
        _path(first, output, result) if first else "",
    )  # fmt: skip


def _call(item: Item) -> tuple[OutputAction, str]:
    """Of an output whose job is not stored."""
    state, output = item.job_state, item.output
    said = state.reason if state else ""
    if item.action is Action.MAKE:
        if output.image.name != output.job.image.name:
            return OutputAction.MAKE, f"bought once for {output.job.image.name}: the same bytes"
        if state and state.state is State.FAILED:
            return OutputAction.MAKE, f"failed before, not billed: {said}"
        return OutputAction.MAKE, f"not taken before: {said}" if said else "new"
    if item.action is Action.MEND:
        return OutputAction.COLLECT, "its stored result is missing or damaged: fetched again"
    if item.action is Action.HOLD_UNKNOWN:
        return OutputAction.UNKNOWN, said or "may have been billed"
    if item.action is Action.HOLD_FAILED:
        return OutputAction.HELD, f"billed, and gave no image: {said}"
    return OutputAction.COLLECT, said or "paid or accepted by an earlier run"


_GRAVEST = (OutputAction.EDITED, OutputAction.DELIVER_AGAIN, OutputAction.FROM_STORE)


def _delivery(
    output: Output,
    result: Result,
    files: Sequence[SinkTarget],
    known: Sequence[Mapping[str, Delivered]],
) -> tuple[OutputAction, str]:
    """Of a stored result: what most needs a hand among the sinks."""
    found = [_at(target, output, result, held) for target, held in zip(files, known, strict=True)]
    for action in _GRAVEST:
        for mine, reason in found:
            if mine is action:
                return mine, reason
    return OutputAction.IN_PLACE, "" if files else "stored; no sink takes single files"


def _at(
    target: SinkTarget, output: Output, result: Result, known: Mapping[str, Delivered]
) -> tuple[OutputAction, str]:
    path, away = target.path(output, result), "://" in target.sink.location
    row = known.get(path)
    if away:  # not asked: that would be a request for each output
        return (OutputAction.IN_PLACE if row else OutputAction.FROM_STORE), ""
    try:
        if row is None:
            state = target.sink.check(path, None, result.sha256)
        else:
            state = target.sink.check(
                path, WriteReceipt(row.sha256, row.size, row.mark), row.sha256
            )
    except FAULTS as error:
        return OutputAction.FROM_STORE, f"{path} cannot be looked at: {error}"
    if state is FileState.EDITED:
        why = "was edited" if row else "is not relightflow's"
        return OutputAction.EDITED, f"the file {why}; --overwrite replaces it"
    if state is FileState.MISSING:
        return (
            (OutputAction.DELIVER_AGAIN, "the file is gone") if row
            else (OutputAction.FROM_STORE, "stored, not delivered here yet")
        )  # fmt: skip
    if row is not None and row.basis != target.basis(output, result):
        return OutputAction.DELIVER_AGAIN, "the file is out of date"
    return OutputAction.IN_PLACE, ""


def _path(target: SinkTarget, output: Output, result: Result | None) -> str:
    if result:
        return target.path(output, result)
    path = output_path(target.template, output, target.recipe, _ANY)
    return f"{path.removesuffix(_ANY)}*" if path.endswith(f".{_ANY}") else path
