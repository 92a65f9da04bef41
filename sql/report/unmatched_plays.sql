-- What is played most of what the catalogue lacks, with the nearest song it has: same title and artist, another duration.
-- Parameters: top. Called by spark_jobs/report_listening.py.
SELECT
    song_title AS song,
    artist_name AS artist,
    length AS seconds,
    plays,
    near_song_id AS near_song,
    near_duration AS its_seconds
FROM dwh.unmatched_plays
ORDER BY plays DESC, song_title COLLATE "C" ASC, artist_name COLLATE "C" ASC, length ASC
LIMIT %(top)s
