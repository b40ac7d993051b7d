"""The life of one job: submit, collect, and recovery after a crash."""
