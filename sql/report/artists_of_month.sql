-- The artists with most plays in the latest month with any, at one level.
-- Parameters: level, top. Called by spark_jobs/report_listening.py.
SELECT
    rank,
    artist_name AS artist,
    plays,
    matched_plays AS matched
FROM dwh.top_artists
WHERE month = (SELECT max(day) - extract(DAY FROM max(day))::integer + 1 FROM dwh.daily_activity) AND level = %(level)s AND rank <= %(top)s
ORDER BY rank
