"""Whether what a run buys is kept when the machine is thrown away, as those of CI are."""

from __future__ import annotations

from collections.abc import Mapping

from relightflow.model.plan import Plan
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.state_dir import StateDir

_NO = ("", "0", "false", "no", "off")


def unkept(
    plan: Plan, state_dir: StateDir, operator: OperatorPolicy, environ: Mapping[str, str]
) -> str:
    """A warning; empty where it is kept, free, or the machine is none of CI's (the variable `CI`)."""
    if environ.get("CI", "").strip().lower() in _NO:
        return ""
    free = plan.recipe.rehearsed or (plan.price is not None and plan.price.free)
    kept = state_dir.named or (operator.store and operator.store_writes)
    if free or kept:
        return ""
    return (
        f"CI is set, and the state {state_dir.root} was not named: if it is gone after this job, the "
        "next one buys everything again. Keep it in a folder named with --state or RELIGHTFLOW_STATE, "
        "or use a shared store (--store)"
    )
