-- Which songs does the catalogue lack most?
-- Answer on the sample data of make demo:
--   song_title | artist_name | plays
--   Restless Comets (Album Version) | Islands & Tides | 219
--   Golden Anchors (Live) | Oscar Hazel | 96
--   Northern Città_ Pt. 2 | Milo Maple | 67
--   Silver Islands | Mirrors & Élan | 61
--   Velvet Tides | Zoë Oak | 52
SELECT
    song_title,
    artist_name,
    sum(plays) AS plays
FROM dwh.unmatched_plays
GROUP BY song_title, artist_name
ORDER BY sum(plays) DESC, song_title COLLATE "C" ASC, artist_name COLLATE "C" ASC
LIMIT 5;
