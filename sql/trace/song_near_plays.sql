-- Live plays of a song's title and artist that were not given that song, by length, the most frequent first. Names are compared but
-- for case and runs of white space, both by PostgreSQL.
-- Parameters: song_id; title, artist, as the catalogue has them; top. Called by spark_jobs/warehouse/provenance.py.
SELECT
    length,
    song_id,
    count(*) AS plays,
    min(songplay_id) AS first_songplay_id
FROM dwh.songplays
WHERE
    dwh.folded(song_title) = dwh.folded(%(title)s)
    AND dwh.folded(artist_name) = dwh.folded(%(artist)s)
    AND song_id IS DISTINCT FROM %(song_id)s
GROUP BY length, song_id
ORDER BY count(*) DESC, length ASC
LIMIT %(top)s
