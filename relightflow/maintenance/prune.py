"""Finds delivered images that the recipe does not describe any more, and takes them away.

Only what relightflow itself delivered for this recipe, that is still byte for byte as it was delivered, and
whose result is in the store: nothing that was paid for, and nobody's work, is ever lost by it. A recipe
that finds no images, or images that it cannot use, describes less than it should, so nothing is removed
for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from relightflow.core.filenames import same_place
from relightflow.deliver.target import SinkTarget
from relightflow.errors import RefusedError
from relightflow.ledger.reader import Reader
from relightflow.ledger.rows import Delivered
from relightflow.model.maintenance import Unwanted
from relightflow.model.output_format import EXTENSIONS, extension
from relightflow.model.plan import Plan
from relightflow.plan.names import output_path
from relightflow.plan.outputs import outputs
from relightflow.plugins.sink import FileState, HasRemove, WriteReceipt
from relightflow.run.limits.spend import identity, names_of
from relightflow.run.opening import OpenState
from relightflow.run.restoring import is_whole
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class DeliveredPlan:
    """A recipe's plan and its sinks."""

    plan: Plan
    targets: Sequence[SinkTarget]


def find_unwanted(
    wanted: Sequence[DeliveredPlan],
    others: Sequence[DeliveredPlan],
    reader: Reader,
    state_dir: StateDir,
) -> Unwanted:
    """Files of the recipes `wanted` that none of their plans describes. Blocks; reads every candidate.

    `others`: recipes that deliver from the same state: what they describe is theirs. Raises RefusedError
    where a plan is not whole.
    """
    for one in wanted:
        _check_whole(one.plan)
    kept = _described([*wanted, *others])
    known = reader.recipes()
    names = frozenset().union(*(names_of(identity(o.plan.recipe), known) for o in wanted))
    stored = is_whole(state_dir.blobs)
    removable: list[tuple[str, str]] = []
    edited: list[tuple[str, str]] = []
    only_copies: list[tuple[str, str]] = []
    fixed: dict[str, None] = {}
    for target in _file_targets(wanted):
        for row in reader.held_by(target.id):
            blob = row.basis.partition(">")[0]
            if blob.startswith("run:") or same_place(row.path) in kept[target.id]:
                continue
            if not reader.recipes_of(blob) & names:
                continue  # another recipe's
            state = _check(target, row)
            place = (target.sink.location, row.path)
            if state is FileState.EDITED:
                edited.append(place)
            elif state is FileState.SAME and not stored(blob):
                only_copies.append(place)
            elif state is FileState.SAME and not isinstance(target.sink, HasRemove):
                fixed[target.sink.location] = None
            elif state is FileState.SAME:
                removable.append(place)
    return Unwanted(tuple(removable), tuple(edited), tuple(only_copies), tuple(fixed))


def remove(found: Unwanted, wanted: Sequence[DeliveredPlan], state: OpenState) -> None:
    """Take the files away, and let the ledger forget them. Blocks. Raises SinkFailed, OSError."""
    for target in _file_targets(wanted):
        paths = [path for location, path in found.removable if location == target.sink.location]
        if paths and isinstance(target.sink, HasRemove):
            target.sink.remove(paths)
            state.ledger.forget_now(target.id, paths)


def _check_whole(plan: Plan) -> None:
    if not plan.described.outputs_count:
        raise RefusedError(
            f"'{plan.recipe.name}' finds no images now, so everything that was delivered would count "
            "as unwanted; nothing was removed"
        )
    if plan.rejected:
        raise RefusedError(
            f"'{plan.recipe.name}' has {len(plan.rejected):,} images that cannot be used now, such as "
            f"{plan.rejected[0].name} ({plan.rejected[0].reason}), so what was delivered for them cannot "
            "be told from what nobody wants; nothing was removed"
        )


def _file_targets(plans: Sequence[DeliveredPlan]) -> Iterator[SinkTarget]:
    """The sinks of single images, each place once."""
    seen: set[str] = set()
    for target in (target for one in plans for target in one.targets):
        if target.layout == "files" and target.id not in seen:
            seen.add(target.id)
            yield target


def _described(plans: Sequence[DeliveredPlan]) -> dict[str, set[str]]:
    """Sink → every place that an output may have there; of what type its image is, is not known before
    it is made."""
    kept: dict[str, set[str]] = {}
    for one in plans:
        files = [target for target in one.targets if target.layout == "files"]
        for target in files:
            kept.setdefault(target.id, set())
        for output in outputs(one.plan.described) if files else ():
            for target in files:
                types = [target.form.media_type] if target.form else [*EXTENSIONS, ""]
                for media_type in types:
                    path = output_path(
                        target.template, output, target.recipe, extension(media_type)
                    )
                    kept[target.id].add(same_place(path))
    return kept


def _check(target: SinkTarget, row: Delivered) -> FileState:
    receipt = WriteReceipt(row.sha256, row.size, "")  # no mark: the bytes are read
    return target.sink.check(row.path, receipt, row.sha256)
