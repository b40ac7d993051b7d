"""The commands: to add one, write `relightflow/cli/commands/NAME.py` and a line here.

The file holds one click command called `command`, made with `relightflow.cli.params.command`. The
lines stand here, so that `relightflow --help` loads no command.
"""

from __future__ import annotations

COMMANDS = {
    "init": "Write a commented starter recipe.",
    "validate": "Check recipes and report every problem.",
    "plan": "Show what a run would make, and its price.",
    "apply": "Buy exactly what a plan file says.",
    "run": "Make missing results within the cap, and deliver them.",
    "pull": "Deliver all results that are stored; buy nothing.",
    "merge": "Unite the states of shards, and deliver their results.",
    "check": "Check whether results have the light that was paid for.",
    "report": "Write a page for viewing, comparing and picking results.",
    "pick": "Add picks to a recipe, or deliver their results.",
    "status": "Show the last run, the money spent, and unknown outcomes.",
    "verify": "Check every stored result and every delivered file.",
    "keep": "Accept delivered files that were edited.",
    "resolve": "List calls that may have been billed, and settle them.",
    "reconcile": "Compare the ledger with the provider's bill.",
    "adopt": "Take over results that a manifest in a sink calls done.",
    "prune": "List delivered images that a recipe no longer describes; --delete removes them.",
    "backup": "Copy the ledger to a file, also during a run.",
    "rebuild": "Recreate a lost ledger from the blob store or a backup.",
    "gc": "List unreferenced results and old runs; --delete removes them.",
    "store": "Make a store that several machines share, and list its claims.",
    "account": "Show the balance of a backend's account.",
    "models": "List the models of all backends, or declare one of your own.",
    "schema": "Print the JSON Schema of a recipe, manifest, summary, picks or plan file.",
    "plugins": "List the installed sources, backends, sinks and checks, or write a new plugin.",
    "emulator": "Serve a provider's API on this machine, for rehearsals.",
}
"""Name → one line of help, in the order of use."""
