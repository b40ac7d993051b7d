BEGIN TRANSACTION;
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  job_key TEXT NOT NULL,
  run_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('READY', 'INTENT', 'ACCEPTED', 'RESULT_KNOWN', 'PAID_UNFETCHED', 'STORED', 'DONE', 'FAILED', 'UNKNOWN')),
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
  details TEXT NOT NULL DEFAULT '{}',
  created REAL NOT NULL,
  updated REAL NOT NULL
) STRICT;
INSERT INTO "attempt" VALUES(1,'7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed','20260101T000000Z-aaaaaa','DONE','yes','studio','glow','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"shade":1}',0,50000,50000,'r1','https://h/r1','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',70,2,2,'image/png','','','{}',1764000002.0,1764000006.0);
INSERT INTO "attempt" VALUES(2,'3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3','20260101T000000Z-aaaaaa','ACCEPTED','unknown','studio','glow','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"shade":1}',0,50000,NULL,'r2','','',0,0,0,'','','','{}',1764000007.0,1764000008.0);
INSERT INTO "attempt" VALUES(3,'8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f','20260101T000000Z-aaaaaa','INTENT','unknown','studio','glow','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"shade":1}',0,50000,NULL,'','','',0,0,0,'','','','{}',1764000009.0,1764000009.0);
CREATE TABLE delivery (
  sink TEXT NOT NULL,
  path TEXT NOT NULL,
  basis TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY (sink, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "delivery" VALUES('directory:/x','a.png','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',70,'m');
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  attempt_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  billed TEXT NOT NULL,
  reason TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;
INSERT INTO "history" VALUES(1,1,'INTENT','unknown','',1764000002.0);
INSERT INTO "history" VALUES(2,1,'ACCEPTED','unknown','',1764000003.0);
INSERT INTO "history" VALUES(3,1,'RESULT_KNOWN','yes','',1764000004.0);
INSERT INTO "history" VALUES(4,1,'STORED','yes','',1764000005.0);
INSERT INTO "history" VALUES(5,1,'DONE','yes','',1764000006.0);
INSERT INTO "history" VALUES(6,2,'INTENT','unknown','',1764000007.0);
INSERT INTO "history" VALUES(7,2,'ACCEPTED','unknown','',1764000008.0);
INSERT INTO "history" VALUES(8,3,'INTENT','unknown','',1764000009.0);
CREATE TABLE memory (
  backend TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (backend, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "memory" VALUES('studio','k','v');
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  recipe TEXT NOT NULL,
  started REAL NOT NULL,
  ended REAL,
  exit_code INTEGER
) STRICT;
INSERT INTO "run" VALUES('20260101T000000Z-aaaaaa','demo',1764000001.0,NULL,NULL);
CREATE UNIQUE INDEX attempt_at_most_one_alive ON attempt (job_key)
  WHERE state NOT IN ('READY', 'FAILED') OR (state = 'FAILED' AND billed <> 'no');
CREATE INDEX attempt_by_job ON attempt (job_key);
CREATE INDEX attempt_open ON attempt (state) WHERE state NOT IN ('READY', 'FAILED', 'DONE');
CREATE INDEX attempt_request ON attempt (request_id) WHERE request_id <> '';
CREATE TRIGGER attempt_moves_legally BEFORE UPDATE OF state ON attempt
  WHEN (OLD.state || '>' || NEW.state) NOT IN ('INTENT>ACCEPTED', 'INTENT>FAILED', 'INTENT>PAID_UNFETCHED', 'INTENT>READY', 'INTENT>RESULT_KNOWN', 'INTENT>STORED', 'INTENT>UNKNOWN', 'ACCEPTED>FAILED', 'ACCEPTED>RESULT_KNOWN', 'ACCEPTED>STORED', 'ACCEPTED>UNKNOWN', 'RESULT_KNOWN>FAILED', 'RESULT_KNOWN>STORED', 'RESULT_KNOWN>UNKNOWN', 'PAID_UNFETCHED>FAILED', 'PAID_UNFETCHED>RESULT_KNOWN', 'PAID_UNFETCHED>STORED', 'PAID_UNFETCHED>UNKNOWN', 'STORED>DONE', 'STORED>READY', 'DONE>READY', 'FAILED>READY', 'UNKNOWN>ACCEPTED', 'UNKNOWN>FAILED', 'UNKNOWN>READY', 'UNKNOWN>RESULT_KNOWN')
  BEGIN SELECT RAISE(ABORT, 'illegal move of an attempt'); END;
CREATE TRIGGER attempt_never_goes BEFORE DELETE ON attempt
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
COMMIT;
