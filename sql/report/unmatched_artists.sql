-- The artists, as played, with most plays that match no song of the catalogue.
-- Parameters: since, since_id, top. Called by spark_jobs/report_page.py.
SELECT
    artist_name AS artist,
    count(*) AS plays
FROM dwh.songplays
WHERE songplay_id >= %(since_id)s AND start_time >= %(since)s AND song_id IS NULL
GROUP BY artist_name
ORDER BY count(*) DESC, artist_name COLLATE "C" ASC
LIMIT %(top)s
