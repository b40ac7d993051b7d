"""What keeps the state honest between runs: verify, resolve, reconcile, rebuild."""
