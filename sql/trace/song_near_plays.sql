-- Live plays of a song's title and artist that were not given that song, by length, the most frequent first. Names are compared as the
-- star compares them: without case and runs of white space.
-- Parameters: song_id; title, artist, folded; top. Called by spark_jobs/warehouse/provenance.py.
SELECT
    length,
    song_id,
    count(*) AS plays,
    min(songplay_id) AS first_songplay_id
FROM dwh.songplays
WHERE
    lower(regexp_replace(song_title, E'[ \\t\\n\\v\\f\\r\u00a0]+', ' ', 'g')) = %(title)s
    AND lower(regexp_replace(artist_name, E'[ \\t\\n\\v\\f\\r\u00a0]+', ' ', 'g')) = %(artist)s
    AND song_id IS DISTINCT FROM %(song_id)s
GROUP BY length, song_id
ORDER BY count(*) DESC, length ASC
LIMIT %(top)s
