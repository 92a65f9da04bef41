-- Put the recommendations that stand in staging in the place of those that are live; readers see the old ones until the transaction ends.
-- Called by spark_jobs/warehouse/recommendations.py.
DELETE FROM dwh.recommendations;
INSERT INTO dwh.recommendations (user_id, rank, artist_name, score, model_version)
SELECT
    user_id,
    rank,
    artist_name,
    score,
    model_version
FROM staging.recommendations;
