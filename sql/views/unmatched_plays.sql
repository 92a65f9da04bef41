-- What the catalogue lacks: plays that match no song, and the song of the same title and artist but another duration where there is one.
-- Grain: one title, artist name and length as played, of plays without a song.
-- Key: song_title, artist_name, length (which may be null).
-- Caveat: order by plays to see what is lacked most; spellings and lengths of one song are rows of their own.
-- Caveat: titles and artists are the same if equal but for case and runs of white space, and an artist has one name here; the match
--   itself compares the name in each song's own record. Of several near songs the one nearest in duration is named, then the smallest
--   song_id.
-- Caveat: PostgreSQL tells here what is equal but for case, and Spark where plays are matched: final and other sigma are one letter here
--   and two there, and either may not know the case of rare letters. In a database with the locale C only ASCII letters have a case.
-- Column song_title text: title as played
-- Column artist_name text: artist as played
-- Column length double precision: seconds as played; null where the player sent none
-- Column plays bigint: plays without a song
-- Column near_song_id text: song of the catalogue with the same title and artist; null where there is none
-- Column near_duration double precision: its duration in seconds
-- Column seconds_off double precision: length - near_duration
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.unmatched_plays AS
WITH unmatched AS (
    SELECT
        song_title,
        artist_name,
        length,
        sum(plays)::bigint AS plays
    FROM dwh.song_months
    WHERE song_id IS NULL
    GROUP BY song_title, artist_name, length
),

catalogue AS (
    SELECT
        songs.song_id,
        songs.duration,
        dwh.folded(songs.title) AS title,
        dwh.folded(artists.name) AS artist
    FROM dwh.songs AS songs
    INNER JOIN dwh.artists AS artists ON songs.artist_id = artists.artist_id
),

near AS (
    SELECT DISTINCT ON (unmatched.song_title, unmatched.artist_name, unmatched.length)
        unmatched.song_title,
        unmatched.artist_name,
        unmatched.length,
        catalogue.song_id,
        catalogue.duration
    FROM unmatched
    INNER JOIN
        catalogue
        ON
            dwh.folded(unmatched.song_title) = catalogue.title
            AND dwh.folded(unmatched.artist_name) = catalogue.artist
    ORDER BY
        unmatched.song_title,
        unmatched.artist_name,
        unmatched.length,
        abs(unmatched.length - catalogue.duration),
        catalogue.song_id COLLATE "C"
)

SELECT
    unmatched.song_title,
    unmatched.artist_name,
    unmatched.length,
    unmatched.plays,
    near.song_id AS near_song_id,
    near.duration AS near_duration,
    unmatched.length - near.duration AS seconds_off
FROM unmatched
LEFT JOIN
    near
    ON
        unmatched.song_title = near.song_title
        AND unmatched.artist_name = near.artist_name
        AND unmatched.length IS NOT DISTINCT FROM near.length;
