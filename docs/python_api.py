"""Writes docs/reference/python-api.md: every public name with its fields, units and an example."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import relightflow
from docs.hooks import class_entry
from relightflow import testing

NOTE = "<!-- Written by `python -m docs.generate`; change the docstrings instead. -->\n"

_INTRO = """# Python API

The names below can be imported from `relightflow`, those of the last section from `relightflow.testing`.
They are the public interface: for programs that load, plan and run recipes, and for plugins. All other
modules are internal and may change in any release.

Amounts of money are whole micro-dollars (USD × 10⁻⁶); `micros("0.05")` is 50,000. Times are seconds. Hashes
are SHA-256 as 64 hexadecimal digits.

```python
import asyncio
import relightflow

recipe = relightflow.load_recipe("recipe.yaml")
plan = relightflow.plan_recipe(recipe)
status = relightflow.plan_status(plan)
print(f"{status.new} new jobs, {status.done} done")
cap = relightflow.SpendLimit(relightflow.micros("5.00"), "my program")
options = relightflow.RunOptions(limits=(cap,))
summary = asyncio.run(relightflow.run_plan(plan, run_options=options))
print(summary.exit, summary.counts.made)
```

A paid plan is refused without a limit: a cap or a budget, from the recipe or from the program.

"""

_TESTING = """## Test a plugin

From `relightflow.testing`. A check raises AssertionError with a sentence that says what is wrong; it needs no
framework. `check_backend` and `check_http_faults` are coroutines.

"""

GROUPS = {
    "Load, plan and run": (
        "load_recipe plan_recipe plan_status run_plan Recipe Selection Plan PlanStatus RunOptions "
        "SpendLimit "
        "OperatorPolicy RunCallbacks Progress Outcome Result Summary Issue StateDir Registry"
    ),
    "Plugin records": (
        "hookimpl SourceRecord SourceContext BackendRecord BackendContext SinkRecord SinkContext "
        "CheckRecord CheckContext ExecutorRecord ExecutorContext"
    ),
    "Sources": "Source Image Rejected PassedOver Remark StaleImage SourceUnavailable",
    "Backends": (
        "Backend Settlement Model Parameter Price MegapixelPrice LightTable LightRow Call Job Output Accepted ResultKnown PaidUnfetched Completed "
        "Step CallFailed Failure FailureKind Billed Memory Balance RecordsQuery Attempt "
        "Retry Evidence Undecided Needs BillRow"
    ),
    "Sinks": "Sink SinkFailed FileState WriteReceipt Artifact FinishedRun",
    "Checks": "Check CheckView CheckImage Measured CheckResult Verdict",
    "Executors": "Executor Task ExecutorUnavailable",
    "Values": "FrozenMap Micros micros",
    "Errors and exit codes": (
        "Exit RelightflowError UsageError InvalidRecipe AccountError StorageError RefusedError "
        "EarlyStop"
    ),
}

EXAMPLES = {
    "SourceRecord": 'SourceRecord("tray", "Images from the scanner", create="tray.source:Tray")',
    "BackendRecord": """\
BackendRecord(
    "acme",
    "Acme relighting: paid, needs ACME_KEY",
    models=(Model("acme-1", (), Price(50_000, 50_000)),),
    create="acme.backend:Acme",
    keeps_requests=3600.0,
)""",
    "SinkRecord": 'SinkRecord("tape", "Images on tape", create="tape.sink:Tape", layout="archive")',
    "Model": """\
Model(
    "acme-1",
    (Parameter("light_direction", values=("left", "right"), default="left"),),
    Price(50_000, 50_000),
    typical_seconds=10.0,
)""",
    "Parameter": 'Parameter("steps", "integer", minimum=1, maximum=50, default=25)',
    "MegapixelPrice": "MegapixelPrice(Price(100_000, 100_000))  # 0.10 USD a megapixel",
    "LightTable": 'LightTable.of(1, {"light_direction": {"left": ("side", "L", "exact")}})',
    "LightRow": 'LightRow("light_direction", "left", "side", "L", "exact")',
    "Price": "Price(33_000, 333_000)  # 0.033 to 0.333 USD a call",
    "Image": """\
Image(
    "folder/a.png",
    "ab" * 32,
    size=120_000,
    width=1024,
    height=768,
    media_type="image/png",
    source=0,
    locator="/data/folder/a.png",
)""",
    "Rejected": 'Rejected("notes.txt", "not a supported image: give it as JPEG, PNG or WebP", source=0)',
    "PassedOver": 'PassedOver("XMP", source=0, count=3)',
    "Remark": 'Remark("the folder is empty", field="include", source=0)',
    "Accepted": 'Accepted("req-7f3a91c2", FrozenMap({"model": "acme-1"}))',
    "ResultKnown": 'ResultKnown("req-7f3a91c2", "https://cdn.example/x.png", cost=50_000)',
    "PaidUnfetched": 'PaidUnfetched("req-7f3a91c2", cost=50_000)',
    "Completed": 'Completed(b"the bytes of a PNG file", cost=50_000, request_id="req-7f3a91c2")',
    "CallFailed": 'CallFailed(Failure(FailureKind.UNSENT, "acme could not be reached; nothing was sent"))',
    "Failure": (
        'Failure(FailureKind.RATE_LIMITED, "acme asks to wait", Billed.NO, status=429, retry_after=12.0)'
    ),
    "Balance": 'Balance(credits=micros("12.50"))',
    "BillRow": 'BillRow("req-7f3a91c2", "acme-1", "COMPLETED", 50_000, created=1_790_000_000.0)',
    "WriteReceipt": 'WriteReceipt("ab" * 32, size=120_000, mark="etag-1")',
    "Artifact": 'Artifact("index.csv", WriteReceipt("ab" * 32, 2_048, "etag-2"))',
    "FrozenMap": 'FrozenMap({"light_direction": "left"})',
    "micros": 'micros("0.05")  # 50000',
    "RunOptions": 'RunOptions(limits=(SpendLimit(micros("5.00"), "my program"),))',
    "SpendLimit": 'SpendLimit(micros("20.00"), "my program", window=7 * 86_400)  # a budget',
    "Selection": "Selection(limit=3)",
}


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    parts = [NOTE, _INTRO]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n\n")
        parts += [_entry(name) for name in names.split()]
    parts.append(_TESTING)
    parts += [_entry(name, testing) for name in testing.__all__]
    return {"python-api.md": "".join(parts).rstrip() + "\n"}


def _entry(name: str, package: ModuleType = relightflow) -> str:
    thing = getattr(package, name)
    example = f"\n```python\n{EXAMPLES[name]}\n```\n" if name in EXAMPLES else ""
    node = _definition(name if package is relightflow else thing)
    if isinstance(node, ast.ClassDef):
        body = class_entry(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        head = f"```python\n{word} {name}({ast.unparse(node.args)}){returns}\n```\n\n"
        body = head + inspect.cleandoc(ast.get_docstring(node) or "") + "\n"
    else:
        body = f"{_ALIASES.get(name) or inspect.getdoc(thing) or ''}\n"
    return f"### `{name}`\n\n{body}{example}\n"


_ALIASES = {
    "Micros": "An amount of money in micro-dollars, an `int`.",
    "Retry": (
        "`Callable[[Failure], Awaitable[None]]`: waits until a read that failed may be repeated; raises "
        "`CallFailed` where it is not worth it."
    ),
    "Step": "`Accepted`, `ResultKnown`, `PaidUnfetched` or `Completed`.",
    "hookimpl": "Marks a function of a plugin as the implementation of the hook with its name.",
}


def _definition(public: str | Callable[..., Any]) -> ast.stmt | None:
    """Where a public name, or a function, is defined; None for an alias or a marker."""
    if isinstance(public, str):
        module, attribute = relightflow.where(public)
    else:
        module, attribute = public.__module__, public.__name__
    tree = ast.parse(Path(str(importlib.import_module(module).__file__)).read_text("utf-8"))
    return next(
        (
            node
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == attribute
        ),
        None,
    )
