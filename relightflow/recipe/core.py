"""The core's part of the recipe schema, draft-07: every field but those that plugins bring.

`patternErrorMessage` is what editors (and we) show where a pattern does not match. Lists of sources
and sinks are left open here: `relightflow.recipe.schema` closes them with the plugins' parts.
"""

from __future__ import annotations

from typing import Any

from relightflow.recipe.annotations import allow
from relightflow.recipe.paths import RELATIVE, WHY

VERSION = 1

_END = "$(?!\\n)"
"""The end of a text: a lone `$` would also match before a line break at the end."""
_SLUG = f"^[a-z0-9]+(?:[-_][a-z0-9]+)*{_END}"
_RATE = f"^[1-9][0-9]{{0,6}}/(?:[1-9][0-9]{{0,5}})?(?:s|m|h){_END}"
BUDGET = f"^[0-9]{{1,7}}(?:\\.[0-9]{{1,6}})?/(?:[1-9][0-9]{{0,3}})?(?:h|d|w){_END}"

_TYPED = {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}

SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}

_SAMPLE_FIELDS: dict[str, dict[str, Any]] = {
    "strategy": {
        "enum": ["full", "pairwise", "random", "first"],
        "description": "full: every cell. pairwise: few cells that contain every pair of values of any two axes. random: `count` random cells. first: the first `count` cells.",
    },
    "count": {"type": "integer", "minimum": 1, "description": "How many cells to keep."},
    "seed": {
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": "The same seed selects the same cells.",
    },
}
SAMPLES: dict[str, dict[str, Any]] = {
    strategy: allow(
        {
            "required": required,
            "additionalProperties": False,
            "properties": {
                name: {"const": strategy} if name == "strategy" else _SAMPLE_FIELDS[name]
                for name in ("strategy", *required[1:], *optional)
            },
        }
    )
    for strategy, required, optional in (
        ("full", ["strategy"], []),
        ("pairwise", ["strategy"], []),
        ("random", ["strategy", "count"], ["seed"]),
        ("first", ["strategy", "count"], []),
    )
}
"""What each strategy takes."""

_LIMITS: dict[str, dict[str, Any]] = {
    "concurrency": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 8,
        "description": "Calls in flight at the same time.",
    },
    "rate": {
        "type": "string",
        "pattern": _RATE,
        "patternErrorMessage": "is not a valid rate; use the form calls/window, such as 50/1m, 50/5s or 2/h",
        "description": "Calls in any window, such as 50/1m. Default: learned from the provider.",
    },
    "max_cost": {
        "type": "number",
        "minimum": 0,
        "maximum": 1_000_000,
        "description": "Hard cap in USD on what this recipe may cost over all its runs. The lowest of it and the operator's cap applies.",
    },
    "budget": {
        "type": "string",
        "pattern": BUDGET,
        "patternErrorMessage": "is not a valid budget; use the form USD/window, such as 20/7d, 5/12h or 50/4w",
        "description": "Limit on what all recipes of this state may spend in any window, such as 20/7d. "
        "Applies in addition to max_cost and the operator's budget.",
    },
    "max_jobs": {
        "type": "integer",
        "minimum": 1,
        "default": 10_000,
        "description": "A plan with more jobs is refused.",
    },
    "fail_fast": {
        "type": "boolean",
        "default": False,
        "description": "Stop at the first job that fails.",
    },
    "on_unknown": {
        "enum": ["hold", "resubmit"],
        "default": "hold",
        "description": "What to do with a call that may have been billed: hold it for a decision, or buy "
        "it again within the limits.",
    },
    "on_reject": {
        "enum": ["fail", "skip"],
        "default": "fail",
        "description": "What an image that cannot be used does to the run: fail (exit code 1, the others are "
        "made) or skip (it is named and counted, and the run succeeds).",
    },
}

BACKEND_ENTRY: dict[str, Any] = {
    "as": {
        "type": "string",
        "pattern": _SLUG,
        "maxLength": 64,
        "patternErrorMessage": "is not a valid label: use lower-case letters and digits, separated by single - or _",
        "description": "Label of this entry: its value of the axis `backend`, in names and reports. Default: its type.",
    },
    "limits": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "concurrency": {
                **{k: v for k, v in _LIMITS["concurrency"].items() if k != "default"},
                "description": "Calls of this backend in flight at the same time. Default: limits.concurrency.",
            },
            "rate": {
                **_LIMITS["rate"],
                "description": "Calls of this backend in any window, such as 50/1m. Default: limits.rate.",
            },
            "max_cost": {
                **_LIMITS["max_cost"],
                "description": "Hard cap in USD on what this backend may cost in this recipe, over all its runs; a share of limits.max_cost, which it never raises.",
            },
        },
        "description": "Limits of this backend alone.",
    },
}
"""What an entry of a list of backends has beside the fields of a single one."""

_CORE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "name", "sources", "sinks"],
    "properties": {
        "version": {"const": VERSION, "description": "Format version of the recipe."},
        "name": {
            "type": "string",
            "pattern": _SLUG,
            "maxLength": 64,
            "patternErrorMessage": "is not a valid name: use lower-case letters and digits, separated by single - or _",
            "description": "Name of the run: lower-case letters, digits, - and _.",
        },
        "sources": {
            "type": "array",
            "minItems": 1,
            "items": _TYPED,
            "description": "Where images come from.",
        },
        "backend": {
            **_TYPED,
            "description": "What relights the images, or a list of such: then `backend` is the first axis. Default: preview, which is free.",
        },
        "matrix": {
            "type": "object",
            "description": "Parameters and their values. Every combination is a cell, with the first axis outermost; `all` means every value.",
        },
        "on_unsupported": {
            "enum": ["error", "near", "skip"],
            "default": "error",
            "description": "What to do with values of light_direction, light_intensity, light_temperature and light_type that the model has no equal for: refuse the recipe (error), send the nearest that it has (near; an error where there is none), or leave their cells out (skip).",
        },
        "sample": {
            "type": "object",
            "required": ["strategy"],
            "properties": _SAMPLE_FIELDS,
            "additionalProperties": False,
            "description": "Which cells to make.",
        },
        "picks": {
            "type": "string",
            "minLength": 1,
            "pattern": RELATIVE,
            "patternErrorMessage": WHY,
            "description": "Picks file (JSON or CSV), relative to the recipe: only picked results are made.",
        },
        "repeat": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "Independent results per cell.",
        },
        "checks": {
            "anyOf": [
                {"type": "string", "const": "default"},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"anyOf": [{"type": "string"}, _TYPED]},
                },
            ],
            "description": "What is checked of every result, on this machine and free: names of checks, "
            "or mappings with their options; `default` means the usual ones. Failures never buy.",
        },
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "properties": _LIMITS,
            "description": "Limits on rate, cost and number of jobs.",
        },
        "sinks": {
            "type": "array",
            "minItems": 1,
            "items": _TYPED,
            "description": "Where results are written.",
        },
    },
}

CORE: dict[str, Any] = allow(_CORE)
_LISTED = {"type": "array", "minItems": 1, "maxItems": 100, "items": _TYPED}
CORE_OF_SEVERAL: dict[str, Any] = allow(
    {**_CORE, "properties": {**_CORE["properties"], "backend": _LISTED}}
)
"""The same where `backend` is a list."""
