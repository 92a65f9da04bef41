-- Counts all live plays by month and song.
-- Parameters: none. Called by spark_jobs/warehouse/marts.py while kept_song_months is empty.
INSERT INTO dwh.kept_song_months (month, level, digest, song_title, artist_name, length, song_id, artist_id, plays)
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
FROM dwh.song_months
