"""The commands: to add one, write `relightflow/cli/commands/NAME.py` and a line here.

The file holds one click command called `command`, made with `relightflow.cli.params.command`. The
lines stand here, so that `relightflow --help` loads no command.
"""

from __future__ import annotations

COMMANDS = {
    "init": "Write a commented starter recipe.",
    "validate": "Check recipes and name every problem.",
    "plan": "Show what a run would make, and its price.",
    "run": "Make what is missing, within the cap, and deliver it.",
    "status": "Show the last run, the money spent, and what is in doubt.",
    "verify": "Look at every stored result and every delivered file.",
    "resolve": "List calls that may have been billed, and take your decision.",
    "reconcile": "Compare the ledger with the provider's bill.",
    "rebuild": "Make a lost ledger anew from the blob store.",
    "gc": "List what serves nobody any longer, and take it away if told to.",
    "account": "Show the balance of a backend's account.",
    "schema": "Print the JSON Schema of a recipe, manifest or summary.",
    "plugins": "List sources, backends and sinks, and where they come from.",
    "emulator": "Rehearse: serve the provider's protocol on this machine.",
}
"""Name → one line of help, in the order of use."""
