from __future__ import annotations

import yaml

from relightflow.sinks.dataset_card import card


def test_its_head_is_yaml_that_names_one_split() -> None:
    head = card("demo-*.tar", "Words.").decode().split("---")[1]
    (config,) = yaml.safe_load(head)["configs"]
    assert config["data_files"] == [{"split": "train", "path": "demo-*.tar"}]
