"""Plan → a stream of outcomes: scheduler, gate, retry, breaker, budget, recovery."""
