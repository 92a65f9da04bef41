-- How much of a user is live.
-- Parameters: user_id. Called by spark_jobs/warehouse/provenance.py.
SELECT
    count(*) AS plays,
    count(song_id) AS matched,
    count(DISTINCT start_time::date) AS days,
    min(start_time) AS first_play,
    max(start_time) AS last_play
FROM dwh.songplays
WHERE user_id = %(user_id)s
