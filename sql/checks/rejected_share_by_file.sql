-- severity: warn
-- No single file of 100 lines or more had more than max_rejected_share of them refused.
-- Parameters: max_rejected_share. Called by spark_jobs/warehouse/check.py. `songlake rejects` shows the lines and why.
SELECT
    path,
    rejected AS refused_lines,
    lines AS all_lines,
    round(rejected::numeric / lines, 4) AS share,
    %(max_rejected_share)s::numeric AS allowed
FROM staging.files
WHERE NOT deleted AND lines >= 100 AND rejected > %(max_rejected_share)s::numeric * lines
ORDER BY rejected DESC, path ASC
