-- One batch, as JDBC wrote it: `deleted` and the columns of the live table; then the gate reads it and publish applies it.
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
--
-- UNLOGGED and without indexes or constraints, since rows are written once, read a few times and thrown away, and the
-- checks say what is wrong with them. A crash of the server empties these tables; publish notices. Columns may be null
-- because a deletion carries its key only; `deleted` stands first because every check asks it, and PostgreSQL reads a row
-- from the left. Autovacuum is off so that it never stands in the way of TRUNCATE.
CREATE UNLOGGED TABLE IF NOT EXISTS staging.songplays (
    deleted boolean NOT NULL,
    songplay_id text COLLATE "C",
    start_time timestamp with time zone,
    user_id bigint,
    level text,
    song_id text,
    artist_id text,
    session_id bigint,
    location text,
    user_agent text,
    item_in_session integer,
    song_title text,
    artist_name text,
    length double precision
) WITH (autovacuum_enabled = false);

CREATE UNLOGGED TABLE IF NOT EXISTS staging.users (
    deleted boolean NOT NULL,
    user_id bigint,
    first_name text,
    last_name text,
    gender text,
    level text,
    registered_at timestamp with time zone,
    last_seen_at timestamp with time zone
) WITH (autovacuum_enabled = false);

CREATE UNLOGGED TABLE IF NOT EXISTS staging.songs (
    deleted boolean NOT NULL,
    song_id text,
    title text,
    artist_id text,
    year integer,
    duration double precision
) WITH (autovacuum_enabled = false);

CREATE UNLOGGED TABLE IF NOT EXISTS staging.artists (
    deleted boolean NOT NULL,
    artist_id text,
    name text,
    location text,
    latitude double precision,
    longitude double precision
) WITH (autovacuum_enabled = false);

CREATE UNLOGGED TABLE IF NOT EXISTS staging.time (
    deleted boolean NOT NULL,
    start_time timestamp with time zone,
    hour integer,
    day integer,
    week integer,
    month integer,
    year integer,
    weekday integer
) WITH (autovacuum_enabled = false);

CREATE UNLOGGED TABLE IF NOT EXISTS staging.files (
    deleted boolean NOT NULL,
    path text,
    kind text,
    status text,
    cause text,
    size bigint,
    modified_at timestamp with time zone,
    lines bigint,
    accepted bigint,
    repeated bigint,
    rejected bigint,
    batch_id text,
    ingested_at timestamp with time zone,
    unknown_keys text[]
) WITH (autovacuum_enabled = false);
-- Warehouses of schema versions 1 and 2 know nothing of it.
ALTER TABLE staging.files ADD COLUMN IF NOT EXISTS unknown_keys text[];
