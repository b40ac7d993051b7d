"""relightflow turns YAML recipes into relit images: checked, priced, bought once, and recorded.

The names in `__all__` are the public interface: for programs that plan and run recipes, and for plugins.
Every other module is internal and may change in any release. Each name is imported when it is used, so
that `import relightflow` costs nothing. (`load`, `plan` and `run` of `relightflow.api` are named after
their objects here, because `relightflow.plan` and `relightflow.run` are packages.)
"""

import sys

if sys.platform == "win32":
    # before any import that Windows cannot do; an ImportError would reach the command as a traceback
    sys.stderr.write(
        "error: relightflow runs on Linux and macOS. On Windows, install it in WSL "
        "(https://learn.microsoft.com/windows/wsl/install).\n"
    )
    raise SystemExit(2)

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relightflow.api import load as load_recipe
    from relightflow.api import plan as plan_recipe
    from relightflow.api import plan_status as plan_status
    from relightflow.api import run as run_plan
    from relightflow.errors import AccountError as AccountError
    from relightflow.errors import EarlyStop as EarlyStop
    from relightflow.errors import Exit as Exit
    from relightflow.errors import InvalidRecipe as InvalidRecipe
    from relightflow.errors import RefusedError as RefusedError
    from relightflow.errors import RelightflowError as RelightflowError
    from relightflow.errors import StorageError as StorageError
    from relightflow.errors import UsageError as UsageError
    from relightflow.model.attempt import Attempt as Attempt
    from relightflow.model.callbacks import RunCallbacks as RunCallbacks
    from relightflow.model.catalog import MegapixelPrice as MegapixelPrice
    from relightflow.model.catalog import Model as Model
    from relightflow.model.catalog import Parameter as Parameter
    from relightflow.model.catalog import Price as Price
    from relightflow.model.check import CheckResult as CheckResult
    from relightflow.model.check import Verdict as Verdict
    from relightflow.model.evidence import Evidence as Evidence
    from relightflow.model.evidence import Needs as Needs
    from relightflow.model.evidence import Undecided as Undecided
    from relightflow.model.failure import Billed as Billed
    from relightflow.model.failure import CallFailed as CallFailed
    from relightflow.model.failure import Failure as Failure
    from relightflow.model.failure import FailureKind as FailureKind
    from relightflow.model.image import Image as Image
    from relightflow.model.image import PassedOver as PassedOver
    from relightflow.model.image import Rejected as Rejected
    from relightflow.model.image import Remark as Remark
    from relightflow.model.job import Job as Job
    from relightflow.model.job import Output as Output
    from relightflow.model.light import LightRow as LightRow
    from relightflow.model.light import LightTable as LightTable
    from relightflow.model.money import Micros as Micros
    from relightflow.model.money import micros as micros
    from relightflow.model.outcome import Outcome as Outcome
    from relightflow.model.outcome import Result as Result
    from relightflow.model.plan import Plan as Plan
    from relightflow.model.plan import Selection as Selection
    from relightflow.model.plan_status import PlanStatus as PlanStatus
    from relightflow.model.progress import Progress as Progress
    from relightflow.model.recipe import Recipe as Recipe
    from relightflow.model.run_options import RunOptions as RunOptions
    from relightflow.model.spending import SpendLimit as SpendLimit
    from relightflow.model.step import Accepted as Accepted
    from relightflow.model.step import Completed as Completed
    from relightflow.model.step import PaidUnfetched as PaidUnfetched
    from relightflow.model.step import ResultKnown as ResultKnown
    from relightflow.model.step import Step as Step
    from relightflow.model.summary import Issue as Issue
    from relightflow.model.summary import Summary as Summary
    from relightflow.model.values import FrozenMap as FrozenMap
    from relightflow.plugins.backend import Backend as Backend
    from relightflow.plugins.backend import Balance as Balance
    from relightflow.plugins.backend import BillRow as BillRow
    from relightflow.plugins.backend import Call as Call
    from relightflow.plugins.backend import Memory as Memory
    from relightflow.plugins.backend import RecordsQuery as RecordsQuery
    from relightflow.plugins.backend import Retry as Retry
    from relightflow.plugins.backend import Settlement as Settlement
    from relightflow.plugins.check import Check as Check
    from relightflow.plugins.check import CheckImage as CheckImage
    from relightflow.plugins.check import CheckView as CheckView
    from relightflow.plugins.check import Measured as Measured
    from relightflow.plugins.executor import Executor as Executor
    from relightflow.plugins.executor import ExecutorUnavailable as ExecutorUnavailable
    from relightflow.plugins.executor import Task as Task
    from relightflow.plugins.hookspecs import hookimpl as hookimpl
    from relightflow.plugins.records import BackendContext as BackendContext
    from relightflow.plugins.records import BackendRecord as BackendRecord
    from relightflow.plugins.records import CheckContext as CheckContext
    from relightflow.plugins.records import CheckRecord as CheckRecord
    from relightflow.plugins.records import ExecutorContext as ExecutorContext
    from relightflow.plugins.records import ExecutorRecord as ExecutorRecord
    from relightflow.plugins.records import OperatorPolicy as OperatorPolicy
    from relightflow.plugins.records import SinkContext as SinkContext
    from relightflow.plugins.records import SinkRecord as SinkRecord
    from relightflow.plugins.records import SourceContext as SourceContext
    from relightflow.plugins.records import SourceRecord as SourceRecord
    from relightflow.plugins.registry import Registry as Registry
    from relightflow.plugins.sink import Artifact as Artifact
    from relightflow.plugins.sink import FileState as FileState
    from relightflow.plugins.sink import FinishedRun as FinishedRun
    from relightflow.plugins.sink import Sink as Sink
    from relightflow.plugins.sink import SinkFailed as SinkFailed
    from relightflow.plugins.sink import WriteReceipt as WriteReceipt
    from relightflow.plugins.source import Source as Source
    from relightflow.plugins.source import SourceUnavailable as SourceUnavailable
    from relightflow.plugins.source import StaleImage as StaleImage
    from relightflow.store.state_dir import StateDir as StateDir

_MODULES = {
    "relightflow.api": ("plan_status",),
    "relightflow.plugins.registry": ("Registry",),
    "relightflow.plugins.hookspecs": ("hookimpl",),
    "relightflow.plugins.records": (
        "BackendContext",
        "BackendRecord",
        "CheckContext",
        "CheckRecord",
        "ExecutorContext",
        "ExecutorRecord",
        "OperatorPolicy",
        "SinkContext",
        "SinkRecord",
        "SourceContext",
        "SourceRecord",
        "SpendLimit",
    ),
    "relightflow.model.attempt": ("Attempt",),
    "relightflow.model.check": ("CheckResult", "Verdict"),
    "relightflow.plugins.executor": ("Executor", "ExecutorUnavailable", "Task"),
    "relightflow.plugins.check": ("Check", "CheckImage", "CheckView", "Measured"),
    "relightflow.model.evidence": ("Evidence", "Needs", "Undecided"),
    "relightflow.plugins.backend": (
        "Backend",
        "Balance",
        "BillRow",
        "Call",
        "Memory",
        "RecordsQuery",
        "Retry",
        "Settlement",
    ),
    "relightflow.plugins.source": (
        "Source",
        "SourceUnavailable",
        "StaleImage",
    ),
    "relightflow.plugins.sink": (
        "Artifact",
        "FileState",
        "FinishedRun",
        "Sink",
        "SinkFailed",
        "WriteReceipt",
    ),
    "relightflow.model.catalog": (
        "MegapixelPrice",
        "Model",
        "Parameter",
        "Price",
    ),
    "relightflow.model.image": (
        "Image",
        "PassedOver",
        "Rejected",
        "Remark",
    ),
    "relightflow.model.light": ("LightRow", "LightTable"),
    "relightflow.model.job": (
        "Job",
        "Output",
    ),
    "relightflow.model.step": (
        "Accepted",
        "Completed",
        "PaidUnfetched",
        "ResultKnown",
        "Step",
    ),
    "relightflow.model.failure": (
        "Billed",
        "CallFailed",
        "Failure",
        "FailureKind",
    ),
    "relightflow.model.money": (
        "Micros",
        "micros",
    ),
    "relightflow.model.values": ("FrozenMap",),
    "relightflow.model.recipe": ("Recipe",),
    "relightflow.model.plan": (
        "Plan",
        "Selection",
    ),
    "relightflow.model.plan_status": ("PlanStatus",),
    "relightflow.model.run_options": ("RunOptions",),
    "relightflow.model.spending": ("SpendLimit",),
    "relightflow.model.callbacks": ("RunCallbacks",),
    "relightflow.model.progress": ("Progress",),
    "relightflow.model.outcome": (
        "Outcome",
        "Result",
    ),
    "relightflow.model.summary": (
        "Issue",
        "Summary",
    ),
    "relightflow.store.state_dir": ("StateDir",),
    "relightflow.errors": (
        "AccountError",
        "EarlyStop",
        "Exit",
        "InvalidRecipe",
        "RefusedError",
        "RelightflowError",
        "StorageError",
        "UsageError",
    ),
}
_PLACES = {name: (module, name) for module, names in _MODULES.items() for name in names} | {
    "load_recipe": ("relightflow.api", "load"),
    "plan_recipe": ("relightflow.api", "plan"),
    "run_plan": ("relightflow.api", "run"),
}

__all__ = [
    "Accepted",
    "AccountError",
    "Artifact",
    "Attempt",
    "Backend",
    "BackendContext",
    "BackendRecord",
    "Balance",
    "BillRow",
    "Billed",
    "Call",
    "CallFailed",
    "Check",
    "CheckContext",
    "CheckImage",
    "CheckRecord",
    "CheckResult",
    "CheckView",
    "Completed",
    "EarlyStop",
    "Evidence",
    "Executor",
    "ExecutorContext",
    "ExecutorRecord",
    "ExecutorUnavailable",
    "Exit",
    "Failure",
    "FailureKind",
    "FileState",
    "FinishedRun",
    "FrozenMap",
    "Image",
    "InvalidRecipe",
    "Issue",
    "Job",
    "LightRow",
    "LightTable",
    "Measured",
    "MegapixelPrice",
    "Memory",
    "Micros",
    "Model",
    "Needs",
    "OperatorPolicy",
    "Outcome",
    "Output",
    "PaidUnfetched",
    "Parameter",
    "PassedOver",
    "Plan",
    "PlanStatus",
    "Price",
    "Progress",
    "Recipe",
    "RecordsQuery",
    "RefusedError",
    "Registry",
    "Rejected",
    "RelightflowError",
    "Remark",
    "Result",
    "ResultKnown",
    "Retry",
    "RunCallbacks",
    "RunOptions",
    "Selection",
    "Settlement",
    "Sink",
    "SinkContext",
    "SinkFailed",
    "SinkRecord",
    "Source",
    "SourceContext",
    "SourceRecord",
    "SourceUnavailable",
    "SpendLimit",
    "StaleImage",
    "StateDir",
    "Step",
    "StorageError",
    "Summary",
    "Task",
    "Undecided",
    "UsageError",
    "Verdict",
    "WriteReceipt",
    "hookimpl",
    "load_recipe",
    "micros",
    "plan_recipe",
    "plan_status",
    "run_plan",
]


def where(name: str) -> tuple[str, str]:
    """Module and name under which the public `name` is defined. Raises AttributeError."""
    if name not in _PLACES:
        raise AttributeError(f"module 'relightflow' has no public name {name!r}")
    return _PLACES[name]


def __getattr__(name: str) -> Any:
    """The public `name`, imported at its first use. Raises AttributeError for any other."""
    module, attribute = where(name)
    return getattr(import_module(module), attribute)
