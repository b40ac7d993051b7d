"""What the emulated provider and its network do wrong, on request: a plan, and the faults it names."""
