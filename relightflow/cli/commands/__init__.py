"""One command a file; `relightflow.cli.table` lists them."""
