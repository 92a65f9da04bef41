-- What publish keeps so that the views for analysts answer within seconds over many plays (docs/adr/0016): two tables, as
-- spark_jobs/warehouse/contracts.py declares them, and the function by which the first is derived, for all plays or for those of a day.
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE TABLE IF NOT EXISTS dwh.kept_play_runs (
    started_at timestamp with time zone NOT NULL,
    user_id bigint NOT NULL,
    session_id bigint NOT NULL,
    item_in_session integer NOT NULL,
    level text NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    plays bigint NOT NULL,
    milliseconds bigint NOT NULL,
    CONSTRAINT kept_play_runs_pkey PRIMARY KEY (started_at, user_id, session_id, item_in_session)
);

-- Texts may be too long for an index, so a digest of them is the key.
CREATE TABLE IF NOT EXISTS dwh.kept_song_months (
    month date NOT NULL,
    level text NOT NULL,
    digest text NOT NULL,
    song_title text NOT NULL,
    artist_name text NOT NULL,
    length double precision,
    song_id text,
    artist_id text,
    plays bigint NOT NULL,
    CONSTRAINT kept_song_months_pkey PRIMARY KEY (month, level, digest)
);

-- Runs of plays whose songplay_id is at least from_id and below to_id; '' and ':' give all. The bounds have to be those of whole hours.
CREATE OR REPLACE FUNCTION dwh.play_runs_between(from_id text, to_id text)
RETURNS TABLE (
    started_at timestamp with time zone,
    user_id bigint,
    session_id bigint,
    item_in_session integer,
    level text,
    ended_at timestamp with time zone,
    plays bigint,
    milliseconds bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH marked AS (
        SELECT
            plays.user_id,
            plays.session_id,
            plays.item_in_session,
            plays.level,
            plays.start_time,
            least(coalesce(plays.length, 0), 86400) AS seconds,
            (
                lag(plays.session_id) OVER in_order = plays.session_id
                AND lag(plays.level) OVER in_order = plays.level
                AND lag(date_bin('1 hour', plays.start_time, '2000-01-01 00:00:00+00')) OVER in_order
                = date_bin('1 hour', plays.start_time, '2000-01-01 00:00:00+00')
            ) IS NOT TRUE AS begins
        FROM dwh.songplays AS plays
        WHERE plays.songplay_id >= from_id AND plays.songplay_id < to_id
        WINDOW in_order AS (PARTITION BY plays.user_id ORDER BY plays.start_time, plays.session_id, plays.item_in_session)
    ),

    numbered AS (
        SELECT
            marked.*,
            count(*) FILTER (WHERE marked.begins) OVER (
                PARTITION BY marked.user_id
                ORDER BY marked.start_time, marked.session_id, marked.item_in_session
                ROWS UNBOUNDED PRECEDING
            ) AS run
        FROM marked
    )

    SELECT
        min(numbered.start_time) AS started_at,
        numbered.user_id,
        min(numbered.session_id) AS session_id,
        min(numbered.item_in_session) FILTER (WHERE numbered.begins) AS item_in_session,
        min(numbered.level) AS level,
        max(numbered.start_time + make_interval(secs => numbered.seconds)) AS ended_at,
        count(*) AS plays,
        sum(round(numbered.seconds * 1000))::bigint AS milliseconds
    FROM numbered
    GROUP BY numbered.user_id, numbered.run
$$;
