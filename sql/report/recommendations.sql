-- What is recommended now: rows and users by the model that made them.
-- Called by spark_jobs/report_model.py.
SELECT
    model_version,
    count(*) AS recommendations,
    count(DISTINCT user_id) AS users,
    count(DISTINCT artist_name) AS artists
FROM dwh.recommendations
GROUP BY model_version
ORDER BY model_version
