"""What must never happen, tried: kills, faults, full disks and mutants, held against the bill."""
