"""`python -m relightflow` is `relightflow`."""

from __future__ import annotations

import sys

from relightflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
