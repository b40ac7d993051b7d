"""Speed and memory, measured in one run against a baseline: `python -m benchmarks`."""
