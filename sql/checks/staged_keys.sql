-- severity: fail
-- Every staged row, also a deletion, has a key, and no two have the same.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. Counts rows beyond the first of each key, and rows without one.
SELECT 'artists' AS table_name, count(*) - count(DISTINCT artist_id) AS violations
FROM staging.artists HAVING count(*) > count(DISTINCT artist_id)
UNION ALL
SELECT 'songs', count(*) - count(DISTINCT song_id)
FROM staging.songs HAVING count(*) > count(DISTINCT song_id)
UNION ALL
SELECT 'users', count(*) - count(DISTINCT user_id)
FROM staging.users HAVING count(*) > count(DISTINCT user_id)
UNION ALL
SELECT 'time', count(*) - count(DISTINCT start_time)
FROM staging.time HAVING count(*) > count(DISTINCT start_time)
UNION ALL
SELECT 'songplays', count(*) - count(DISTINCT songplay_id)
FROM staging.songplays HAVING count(*) > count(DISTINCT songplay_id)
UNION ALL
SELECT 'files', count(*) - count(DISTINCT path)
FROM staging.files HAVING count(*) > count(DISTINCT path)
