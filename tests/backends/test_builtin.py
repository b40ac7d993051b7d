from __future__ import annotations

import subprocess
import sys

from relightflow.plugins.registry import load


def test_all_come_in_through_the_plugins_door() -> None:
    found = load(modules=("relightflow.backends.builtin",), found=list)
    assert {name: loaded.plugin for name, loaded in found.backends.items()} == {
        "preview": "relightflow",
        "segmind": "relightflow",
        "fal": "relightflow",
        "runware": "relightflow",
        "comfy": "relightflow",
        "comfyui": "relightflow",
        "replicate": "relightflow",
    }


def test_listing_backends_loads_no_heavy_library() -> None:
    program = (
        "import sys; from relightflow.backends.builtin import relightflow_backends; "
        "relightflow_backends(); "
        "print({'PIL', 'numpy', 'aiohttp', 'asyncio.base_events'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.strip() in {"set()", "{'asyncio.base_events'}"}, ran.stderr
