/**
 * How the database came to be, step by step. A step that has been released is never changed: a new one is appended.
 * Tables have columns for what is queried and one JSON column for the rest.
 */

export const migrations: readonly string[] = [
  `
  CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    created_at_ns TEXT NOT NULL,
    definition TEXT NOT NULL CHECK (json_valid(definition)),
    state TEXT NOT NULL CHECK (json_valid(state))
  ) STRICT;

  CREATE TABLE execs (
    id TEXT PRIMARY KEY,
    container_id TEXT NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX execs_by_container ON execs (container_id);

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    attributes TEXT NOT NULL CHECK (json_valid(attributes)),
    size_bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_by_time ON events (time_ns);

  CREATE TABLE engine_values (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE images (id TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;
  CREATE TABLE image_references (reference TEXT PRIMARY KEY, image_id TEXT NOT NULL) STRICT;
  CREATE TABLE layers (chain_id TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;
  CREATE TABLE blobs (digest TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;

  CREATE TABLE networks (id TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;
  CREATE TABLE endpoints (endpoint_id TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;

  CREATE TABLE volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;
  `,
  `
  ALTER TABLE image_references ADD COLUMN index_digest TEXT;
  CREATE TABLE image_indexes (digest TEXT PRIMARY KEY, record TEXT NOT NULL CHECK (json_valid(record))) STRICT;
  `,
  `
  CREATE TABLE removed_containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    removed_at_ns INTEGER NOT NULL,
    log_bytes INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  `,
]
