-- The artists with most plays: under the catalogue's name where the play matches a song, else under the name it was played by.
-- Parameters: since, since_id, top. Called by spark_jobs/report_page.py.
SELECT
    coalesce(artists.name, plays.artist_name) AS artist,
    count(*) AS plays,
    count(plays.song_id) AS matched
FROM dwh.songplays AS plays
LEFT JOIN dwh.artists AS artists ON plays.artist_id = artists.artist_id
WHERE plays.songplay_id >= %(since_id)s AND plays.start_time >= %(since)s
GROUP BY coalesce(artists.name, plays.artist_name)
ORDER BY count(*) DESC, coalesce(artists.name, plays.artist_name) COLLATE "C" ASC
LIMIT %(top)s
