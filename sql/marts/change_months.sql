-- Adds to the plays of months and songs what a batch brings, and takes off what it changes or takes away, as the live plays stand
-- before it is applied; tells how many rows are left without a play.
-- Parameters: none. Called by spark_jobs/warehouse/marts.py.
WITH images AS (
    SELECT
        start_time,
        level,
        song_title,
        artist_name,
        length,
        song_id,
        artist_id,
        1 AS plays
    FROM staging.songplays
    WHERE NOT deleted
    UNION ALL
    SELECT
        live.start_time,
        live.level,
        live.song_title,
        live.artist_name,
        live.length,
        live.song_id,
        live.artist_id,
        -1 AS plays
    FROM staging.songplays AS staged
    INNER JOIN dwh.songplays AS live ON staged.songplay_id = live.songplay_id
),

counted AS (
    SELECT
        date_trunc('month', start_time AT TIME ZONE 'UTC')::date AS month,
        level,
        song_title,
        artist_name,
        length,
        song_id,
        artist_id,
        sum(plays) AS plays
    FROM images
    GROUP BY date_trunc('month', start_time AT TIME ZONE 'UTC')::date, level, song_title, artist_name, length, song_id, artist_id
    HAVING sum(plays) <> 0
),

written AS (
    INSERT INTO dwh.kept_song_months AS kept (month, level, digest, song_title, artist_name, length, song_id, artist_id, plays)
    SELECT
        month,
        level,
        encode(sha256(convert_to(row(song_title, artist_name, length, song_id, artist_id)::text, 'UTF8')), 'hex') AS digest,
        song_title,
        artist_name,
        length,
        song_id,
        artist_id,
        plays
    FROM counted
    ON CONFLICT (month, level, digest) DO UPDATE SET plays = kept.plays + excluded.plays
    RETURNING kept.plays
)

SELECT count(*) FILTER (WHERE plays = 0) AS gone
FROM written
