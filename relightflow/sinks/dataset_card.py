"""The `README.md` of a data set, which tells the library `datasets` what belongs to it.

Without it every file would be read, the manifest too, and one image called `test` would be taken
for the whole data set: names of files are taken for names of splits.

Format: "Manual Configuration" in huggingface.co/docs/hub, data set cards.
"""

from __future__ import annotations

CARD = "README.md"


def card(pattern: str, words: str) -> bytes:
    """All files that match `pattern` are one split; `words` for people. Both are ours."""
    return f"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: "{pattern}"
---

Made by relightflow. {words}
""".encode()
