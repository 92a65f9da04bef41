-- Live plays that were given a song.
-- Parameters: song_id. Called by spark_jobs/warehouse/provenance.py.
SELECT count(*) AS plays, count(DISTINCT user_id) AS listeners, min(start_time) AS first_play, max(start_time) AS last_play
FROM dwh.songplays
WHERE song_id = %(song_id)s
