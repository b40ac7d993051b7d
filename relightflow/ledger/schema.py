"""The ledger's tables, and the rules that the database itself keeps.

Three rules are kept by SQLite and not by our code, so that no mistake of ours can break them:
a job has at most one attempt that is open, stored or paid; an attempt moves only as
`relightflow.model.attempt.LEGAL` allows; the history is never changed.
"""

from __future__ import annotations

from relightflow.model.attempt import LEGAL, State

APPLICATION_ID = 0x524C4657
"""`RLFW`: marks the file as a ledger of ours (sqlite.org/pragma.html#pragma_application_id)."""
FIRST_VERSION = 1
"""Of the tables below; `migrations` has what came later."""


def _names(states: tuple[State, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


_MOVES = ", ".join(f"'{old}>{new}'" for old, allowed in LEGAL.items() for new in sorted(allowed))

MOVES_TRIGGER = f"""CREATE TRIGGER attempt_moves_legally BEFORE UPDATE OF state ON attempt
  WHEN (OLD.state || '>' || NEW.state) NOT IN ({_MOVES})
  BEGIN SELECT RAISE(ABORT, 'illegal move of an attempt'); END;
"""

NOT_ENDED = "state NOT IN ('READY', 'FAILED', 'DONE')"
"""Of attempts that may ask for something, and the condition of the index `attempt_open`: a query that says it in
these words reads that index and not every attempt (sqlite.org/partialindex.html, section 2)."""

SCHEMA = f"""
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  recipe TEXT NOT NULL,
  started REAL NOT NULL,
  ended REAL,
  exit_code INTEGER
) STRICT;

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  job_key TEXT NOT NULL,
  run_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ({_names(tuple(State))})),
  billed TEXT NOT NULL CHECK (billed IN ('no', 'yes', 'unknown')),
  backend TEXT NOT NULL,
  model TEXT NOT NULL,
  image_sha256 TEXT NOT NULL,
  parameters TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  price INTEGER NOT NULL CHECK (price >= 0),
  cost INTEGER CHECK (cost >= 0),
  request_id TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  blob TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL DEFAULT 0,
  width INTEGER NOT NULL DEFAULT 0,
  height INTEGER NOT NULL DEFAULT 0,
  media_type TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  details TEXT NOT NULL DEFAULT '{{}}',
  created REAL NOT NULL,
  updated REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX attempt_at_most_one_alive ON attempt (job_key)
  WHERE state NOT IN ('READY', 'FAILED') OR (state = 'FAILED' AND billed <> 'no');
CREATE INDEX attempt_by_job ON attempt (job_key);
CREATE INDEX attempt_open ON attempt (state) WHERE {NOT_ENDED};
CREATE INDEX attempt_request ON attempt (request_id) WHERE request_id <> '';

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  attempt_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  billed TEXT NOT NULL,
  reason TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;

{MOVES_TRIGGER}CREATE TRIGGER attempt_never_goes BEFORE DELETE ON attempt
  BEGIN SELECT RAISE(ABORT, 'attempts are never deleted'); END;
CREATE TRIGGER attempt_is_noted AFTER INSERT ON attempt
  BEGIN INSERT INTO history (attempt_id, state, billed, reason, at)
    VALUES (NEW.id, NEW.state, NEW.billed, NEW.reason, NEW.updated); END;
CREATE TRIGGER attempt_move_is_noted AFTER UPDATE OF state ON attempt
  BEGIN INSERT INTO history (attempt_id, state, billed, reason, at)
    VALUES (NEW.id, NEW.state, NEW.billed, NEW.reason, NEW.updated); END;
CREATE TRIGGER history_is_not_changed BEFORE UPDATE ON history
  BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
  BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

CREATE TABLE delivery (
  sink TEXT NOT NULL,
  path TEXT NOT NULL,
  basis TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY (sink, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE memory (
  backend TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (backend, key)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FIRST_VERSION};
"""
"""`delivery.basis` is what a file was made from: the blob for an output, a digest of the run's
results for what a sink gathered."""
