/** The letters SVCS: what kind of SQLite file it is. https://www.sqlite.org/pragma.html#pragma_application_id */
export const applicationId = 0x53_56_43_53

/** What a release before it cannot read has another one, and every release reads those before its own. */
export const schemaVersion = 1

/**
 * A commit is on the disk when it is acknowledged. One process has the file, so that it needs no shared memory beside it.
 * https://www.sqlite.org/pragma.html#pragma_synchronous https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
 */
export const pragmas = 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL'

export const schema = `
CREATE TABLE app (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  registration TEXT NOT NULL,
  registered_at REAL NOT NULL,
  trusted INTEGER NOT NULL,
  remote INTEGER NOT NULL,
  health TEXT NOT NULL,
  since REAL NOT NULL,
  paused TEXT,
  last_check TEXT,
  recent BLOB
);
CREATE TABLE hour (
  app INTEGER NOT NULL,
  at REAL NOT NULL,
  checks INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  mean REAL NOT NULL,
  max REAL NOT NULL,
  PRIMARY KEY (app, at)
) WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  receiver TEXT NOT NULL,
  notice TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before REAL NOT NULL DEFAULT 0,
  mail TEXT
);
CREATE INDEX outbox_due ON outbox (not_before);
CREATE TABLE failed_entry (
  id INTEGER PRIMARY KEY,
  receiver TEXT NOT NULL,
  notice TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  not_before REAL NOT NULL,
  mail TEXT,
  why TEXT NOT NULL,
  failed_at REAL NOT NULL
);
CREATE TABLE last_notice (id INTEGER NOT NULL, suspected INTEGER NOT NULL);
INSERT INTO last_notice VALUES (0, 0);
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${schemaVersion};
`

const appId = '(SELECT id FROM app WHERE name = ?)'

export const statements = {
  apps: 'SELECT * FROM app WHERE name > ? ORDER BY name LIMIT ?',
  put: `INSERT INTO app (name, registration, registered_at, trusted, remote, health, since, paused, last_check, recent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET registration = excluded.registration, trusted = excluded.trusted, remote = excluded.remote`,
  remove: 'DELETE FROM app WHERE name = ?',
  removeHours: `DELETE FROM hour WHERE app = ${appId}`,
  state: 'UPDATE app SET health = ?, since = ?, paused = ?, last_check = ?, recent = ? WHERE name = ?',
  progress: 'UPDATE app SET health = ?, last_check = COALESCE(?, last_check), recent = COALESCE(?, recent) WHERE name = ?',
  hour: `INSERT INTO hour (app, at, checks, failures, mean, max) SELECT id, ?, ?, ?, ?, ? FROM app WHERE name = ?
    ON CONFLICT (app, at) DO UPDATE SET
      mean = (mean * (checks - failures) + excluded.mean * (excluded.checks - excluded.failures)) / MAX(1, checks - failures + excluded.checks - excluded.failures),
      checks = checks + excluded.checks, failures = failures + excluded.failures, max = MAX(max, excluded.max)`,
  forgetHours: `DELETE FROM hour WHERE app = ${appId} AND at < ?`,
  hours: `SELECT at, checks, failures, mean AS meanDuration, max AS maxDuration FROM hour WHERE app = ${appId} AND at >= ? ORDER BY at`,
  lastNotice: 'SELECT id, suspected FROM last_notice',
  useNoticeId: 'UPDATE last_notice SET id = MAX(id, ?)',
  suspect: 'UPDATE last_notice SET suspected = ?',
  owe: 'INSERT INTO outbox (receiver, notice) VALUES (?, ?)',
  due: 'SELECT * FROM outbox WHERE not_before <= ? ORDER BY id LIMIT ?',
  owed: 'SELECT COUNT(*) AS count, (SELECT MIN(not_before) FROM outbox WHERE not_before > 0) AS next FROM outbox',
  oldest: 'SELECT notice FROM outbox ORDER BY id LIMIT 1',
  dropped: 'SELECT COALESCE(SUM(json_extract(notice, \'$.count\')), 0) AS dropped FROM outbox WHERE notice LIKE \'{"kind":"dropped"%\'',
  isOwed: 'SELECT id FROM outbox WHERE id = ?',
  assign: 'UPDATE outbox SET mail = ? WHERE id = ?',
  postpone: 'UPDATE outbox SET attempts = attempts + 1, not_before = ? WHERE id = ?',
  sent: 'DELETE FROM outbox WHERE id = ?',
  fail: 'INSERT INTO failed_entry SELECT id, receiver, notice, attempts, not_before, mail, ?, ? FROM outbox WHERE id = ?',
  forgetFailed: 'DELETE FROM failed_entry WHERE id NOT IN (SELECT id FROM failed_entry ORDER BY failed_at DESC, id DESC LIMIT ?)',
  failed: 'SELECT * FROM failed_entry ORDER BY failed_at DESC, id DESC LIMIT ?'
} as const

export type StatementName = keyof typeof statements
