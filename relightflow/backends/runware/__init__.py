"""The paid provider Runware: a call is a task that bears our name, and a name is taken once."""
