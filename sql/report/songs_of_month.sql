-- The songs with most plays in a month, paid and free apart.
-- Parameters: month, top. Called by spark_jobs/report_listening.py.
SELECT
    level,
    rank,
    song_title AS song,
    artist_name AS artist,
    plays,
    matched_plays AS matched
FROM dwh.top_songs
WHERE month = %(month)s AND rank <= %(top)s
ORDER BY level, rank
