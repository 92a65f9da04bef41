-- The songs with most plays: under the catalogue's names where the play matches a song, else under the names it was played by.
-- Parameters: since, since_id, top. Called by spark_jobs/report_page.py.
SELECT
    coalesce(songs.title, plays.song_title) AS song,
    coalesce(artists.name, plays.artist_name) AS artist,
    count(*) AS plays,
    count(plays.song_id) AS matched
FROM dwh.songplays AS plays
LEFT JOIN dwh.songs AS songs ON plays.song_id = songs.song_id
LEFT JOIN dwh.artists AS artists ON plays.artist_id = artists.artist_id
WHERE plays.songplay_id >= %(since_id)s AND plays.start_time >= %(since)s
GROUP BY coalesce(songs.title, plays.song_title), coalesce(artists.name, plays.artist_name)
ORDER BY
    count(*) DESC,
    coalesce(songs.title, plays.song_title) COLLATE "C" ASC,
    coalesce(artists.name, plays.artist_name) COLLATE "C" ASC
LIMIT %(top)s
