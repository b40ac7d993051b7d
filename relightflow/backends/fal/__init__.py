"""The paid provider fal: its models, its queue, its request history, and what its answers mean for money."""
