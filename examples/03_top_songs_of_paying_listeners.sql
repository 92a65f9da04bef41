-- Which songs did paying listeners play most in November 2018?
-- Answer on the sample data of make demo:
--   rank | song_title | artist_name | plays
--   1 | Restless Comets (Album Version) | Islands & Tides | 116
--   2 | Golden Anchors (Live) | Oscar Hazel | 59
--   3 | Northern Città_ Pt. 2 | Milo Maple | 41
--   4 | Broken Mirrors | Bridges & Rivers | 37
--   5 | Silver Islands | Mirrors & Élan | 35
SELECT
    rank,
    song_title,
    artist_name,
    plays
FROM dwh.top_songs
WHERE month = '2018-11-01' AND level = 'paid' AND rank <= 5
ORDER BY rank;
