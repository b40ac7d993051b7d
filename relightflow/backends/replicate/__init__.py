"""The paid provider Replicate: predictions that are polled, listed for doubts, and deleted after an hour."""
