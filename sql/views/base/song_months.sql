-- Plays by month, level and song as played: what the views about songs and artists are made of.
-- Grain: plays in one UTC month at one level with the same title, artist name and length, matched to the same song or to none.
-- Key: month, level, song_title, artist_name, length, song_id, artist_id (of which length, song_id and artist_id may be null).
-- Caveat: answered by kept_song_months, which publish keeps from 2,000,000 plays on, and computed from songplays while that is empty.
-- Column month date: first day of the UTC month
-- Column level text: level of the plays
-- Column song_title text: title as played
-- Column artist_name text: artist as played
-- Column length double precision: seconds
-- Column song_id text: the song, where the catalogue has it
-- Column artist_id text: the artist of that song
-- Column plays bigint: plays, at least 1
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.song_months AS
SELECT
    kept.month,
    kept.level,
    kept.song_title,
    kept.artist_name,
    kept.length,
    kept.song_id,
    kept.artist_id,
    kept.plays
FROM dwh.kept_song_months AS kept
UNION ALL
SELECT
    date_trunc('month', plays.start_time AT TIME ZONE 'UTC')::date AS month,
    plays.level,
    plays.song_title,
    plays.artist_name,
    plays.length,
    plays.song_id,
    plays.artist_id,
    count(*) AS plays
FROM dwh.songplays AS plays
WHERE NOT EXISTS (SELECT 1 FROM dwh.kept_song_months)
GROUP BY
    date_trunc('month', plays.start_time AT TIME ZONE 'UTC')::date,
    plays.level,
    plays.song_title,
    plays.artist_name,
    plays.length,
    plays.song_id,
    plays.artist_id;
