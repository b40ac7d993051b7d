from __future__ import annotations

import subprocess
import sys

from relightflow.backends.preview.plugin import RECORD


def test_the_preview_is_free_whatever_is_asked_of_it() -> None:
    prices = [model.price for model in RECORD.models]
    assert prices
    assert all(price is not None and price.free for price in prices)


def test_listing_it_loads_no_image_library() -> None:
    program = (
        "import sys; import relightflow.backends.preview.plugin; "
        "print({'PIL', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() == "set()", ran.stderr
