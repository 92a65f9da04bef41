-- The latest runs of the model, newest first, with what was published and why.
-- Parameters: runs. Called by spark_jobs/report_model.py.
SELECT
    model_version,
    chosen,
    reason,
    judged_users,
    row_count AS recommendations,
    seconds,
    published_at
FROM ops.model_runs
ORDER BY published_at DESC, model_version DESC
LIMIT %(runs)s
