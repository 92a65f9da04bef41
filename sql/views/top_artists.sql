-- The artists of each month by their plays, free and paid apart.
-- Grain: one artist name with plays in one UTC month at one level.
-- Key: month, level, rank; also month, level, artist_name.
-- Caveat: a play that matches a song counts under the catalogue's name of its artist, any other under the name it was played by;
--   other spellings are other artists.
-- Caveat: all artists are here, not the first ten only: ask for rank <= 10. Equal plays are ranked by name, by its bytes.
-- Column month date: first day of the UTC month
-- Column level text: level of the plays
-- Column rank bigint: place within month and level, from 1, without gaps or ties
-- Column artist_name text: the artist
-- Column plays bigint: plays
-- Column matched_plays bigint: how many of them match a song of the catalogue
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE VIEW dwh.top_artists AS
WITH counted AS (
    SELECT
        plays.month,
        plays.level,
        coalesce(artists.name, plays.artist_name) AS artist_name,
        sum(plays.plays)::bigint AS plays,
        coalesce(sum(plays.plays) FILTER (WHERE plays.song_id IS NOT NULL), 0)::bigint AS matched_plays
    FROM dwh.song_months AS plays
    LEFT JOIN dwh.artists AS artists ON plays.artist_id = artists.artist_id
    GROUP BY plays.month, plays.level, coalesce(artists.name, plays.artist_name)
)

SELECT
    month,
    level,
    row_number() OVER (PARTITION BY month, level ORDER BY plays DESC, artist_name COLLATE "C" ASC) AS rank,
    artist_name,
    plays,
    matched_plays
FROM counted;
