"""relightflow turns YAML recipes into relit images: checked, priced, bought once, and recorded."""

import sys

if sys.platform == "win32":
    # before any import that Windows cannot do; an ImportError would reach the command as a traceback
    sys.stderr.write(
        "error: relightflow runs on Linux and macOS. On Windows, install it in WSL "
        "(https://learn.microsoft.com/windows/wsl/install).\n"
    )
    raise SystemExit(2)
