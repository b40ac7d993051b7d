"""The paid provider Segmind: its models, its wire protocol, and what its answers mean for money."""
