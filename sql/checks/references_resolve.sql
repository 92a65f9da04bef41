-- severity: fail
-- Every user, song, artist and time that a staged row refers to is staged too, or live and not about to go.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
--
-- Staging is asked first, and a live table only for what is left, row by row through its key, so that the cost follows the
-- batch and not the history.
WITH songplays_user_id AS MATERIALIZED (
    SELECT referring.user_id
    FROM staging.songplays AS referring
    WHERE
        NOT referring.deleted
        AND referring.user_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM staging.users AS staged WHERE staged.user_id = referring.user_id AND NOT staged.deleted)
),

songplays_song_id AS MATERIALIZED (
    SELECT referring.song_id
    FROM staging.songplays AS referring
    WHERE
        NOT referring.deleted
        AND referring.song_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM staging.songs AS staged WHERE staged.song_id = referring.song_id AND NOT staged.deleted)
),

songplays_artist_id AS MATERIALIZED (
    SELECT referring.artist_id
    FROM staging.songplays AS referring
    WHERE
        NOT referring.deleted
        AND referring.artist_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM staging.artists AS staged WHERE staged.artist_id = referring.artist_id AND NOT staged.deleted)
),

songplays_start_time AS MATERIALIZED (
    SELECT referring.start_time
    FROM staging.songplays AS referring
    WHERE
        NOT referring.deleted
        AND referring.start_time IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM staging.time AS staged WHERE staged.start_time = referring.start_time AND NOT staged.deleted)
),

songs_artist_id AS MATERIALIZED (
    SELECT referring.artist_id
    FROM staging.songs AS referring
    WHERE
        NOT referring.deleted
        AND referring.artist_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM staging.artists AS staged WHERE staged.artist_id = referring.artist_id AND NOT staged.deleted)
)

SELECT 'songplays.user_id' AS reference, count(*) AS violations
FROM songplays_user_id AS referring
WHERE
    referring.user_id IN (SELECT gone.user_id FROM staging.users AS gone WHERE gone.deleted)
    OR NOT EXISTS (SELECT 1 FROM dwh.users AS live WHERE live.user_id = referring.user_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.song_id' AS reference, count(*) AS violations
FROM songplays_song_id AS referring
WHERE
    referring.song_id IN (SELECT gone.song_id FROM staging.songs AS gone WHERE gone.deleted)
    OR NOT EXISTS (SELECT 1 FROM dwh.songs AS live WHERE live.song_id = referring.song_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.artist_id' AS reference, count(*) AS violations
FROM songplays_artist_id AS referring
WHERE
    referring.artist_id IN (SELECT gone.artist_id FROM staging.artists AS gone WHERE gone.deleted)
    OR NOT EXISTS (SELECT 1 FROM dwh.artists AS live WHERE live.artist_id = referring.artist_id)
HAVING count(*) > 0
UNION ALL
SELECT 'songplays.start_time' AS reference, count(*) AS violations
FROM songplays_start_time AS referring
WHERE
    referring.start_time IN (SELECT gone.start_time FROM staging.time AS gone WHERE gone.deleted)
    OR NOT EXISTS (SELECT 1 FROM dwh.time AS live WHERE live.start_time = referring.start_time)
HAVING count(*) > 0
UNION ALL
SELECT 'songs.artist_id' AS reference, count(*) AS violations
FROM songs_artist_id AS referring
WHERE
    referring.artist_id IN (SELECT gone.artist_id FROM staging.artists AS gone WHERE gone.deleted)
    OR NOT EXISTS (SELECT 1 FROM dwh.artists AS live WHERE live.artist_id = referring.artist_id)
HAVING count(*) > 0
