"""The durable record of every attempt: the only room that knows SQLite."""
