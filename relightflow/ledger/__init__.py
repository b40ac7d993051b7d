"""The durable record of every attempt: the only package that knows SQLite."""
