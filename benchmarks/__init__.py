"""Speed and memory, measured in one run against a yardstick: `python -m benchmarks`."""
