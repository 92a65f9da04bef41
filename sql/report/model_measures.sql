-- How each method did in the latest runs, oldest run first; the model before the simpler ways.
-- Parameters: runs. Called by spark_jobs/report_model.py.
WITH latest AS (
    SELECT model_version, published_at, metrics
    FROM ops.model_runs
    ORDER BY published_at DESC, model_version DESC
    LIMIT %(runs)s
)

SELECT
    to_char(latest.published_at AT TIME ZONE 'UTC', 'DD Mon YY HH24:MI:SS') AS run,
    judged.key AS judged_on,
    method.key AS method,
    (method.value ->> 'recall_at_10')::double precision AS recall_at_10,
    (method.value ->> 'ndcg_at_10')::double precision AS ndcg_at_10,
    (method.value ->> 'coverage')::double precision AS coverage
FROM latest
CROSS JOIN LATERAL jsonb_each(latest.metrics) AS judged
CROSS JOIN LATERAL jsonb_each(judged.value) AS method
ORDER BY latest.published_at, latest.model_version, method.key <> 'als', method.key
