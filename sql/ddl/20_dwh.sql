-- The star schema that analysts read, as spark_jobs/contracts.py declares it (a test proves that they agree).
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
--
-- There are no foreign keys: the gate proves every reference of a batch before it goes live (sql/checks), once for the
-- whole batch instead of row by row, and publish is the only writer. Users' own tables may refer to these keys.
CREATE TABLE IF NOT EXISTS dwh.songplays (
    songplay_id text COLLATE "C" NOT NULL,
    start_time timestamp with time zone NOT NULL,
    user_id bigint NOT NULL,
    level text NOT NULL,
    song_id text,
    artist_id text,
    session_id bigint NOT NULL,
    location text,
    user_agent text,
    item_in_session integer NOT NULL,
    song_title text NOT NULL,
    artist_name text NOT NULL,
    length double precision,
    CONSTRAINT songplays_pkey PRIMARY KEY (songplay_id)
);

-- Plays lie in order of time, but for late ones: what a month's question reads is told by a few kilobytes, and writing costs no more
-- (docs/adr/0012).
CREATE INDEX IF NOT EXISTS songplays_start_time ON dwh.songplays USING brin (start_time) WITH (autosummarize = on);

CREATE TABLE IF NOT EXISTS dwh.users (
    user_id bigint NOT NULL,
    first_name text,
    last_name text,
    gender text,
    level text,
    registered_at timestamp with time zone,
    last_seen_at timestamp with time zone NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (user_id)
);

CREATE TABLE IF NOT EXISTS dwh.songs (
    song_id text NOT NULL,
    title text,
    artist_id text NOT NULL,
    year integer,
    duration double precision NOT NULL,
    CONSTRAINT songs_pkey PRIMARY KEY (song_id)
);

CREATE TABLE IF NOT EXISTS dwh.artists (
    artist_id text NOT NULL,
    name text NOT NULL,
    location text,
    latitude double precision,
    longitude double precision,
    CONSTRAINT artists_pkey PRIMARY KEY (artist_id)
);

CREATE TABLE IF NOT EXISTS dwh.time (
    start_time timestamp with time zone NOT NULL,
    hour integer NOT NULL,
    day integer NOT NULL,
    week integer NOT NULL,
    month integer NOT NULL,
    year integer NOT NULL,
    weekday integer NOT NULL,
    CONSTRAINT time_pkey PRIMARY KEY (start_time)
);
