"""Plan → a stream of outcomes: engine, limits, shutdown, recovery, summary."""
