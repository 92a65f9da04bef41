-- severity: fail
-- No more than max_rejected_share of the lines of a kind were refused, over all files not yet published.
-- Parameters: max_rejected_share. Called by spark_jobs/warehouse/check.py. `songlake rejects` shows the lines and why.
SELECT
    kind,
    sum(rejected) AS refused_lines,
    sum(lines) AS all_lines,
    round(sum(rejected) / nullif(sum(lines), 0), 4) AS share,
    %(max_rejected_share)s::numeric AS allowed,
    sum(rejected) AS violations
FROM staging.files
WHERE NOT deleted
GROUP BY kind
HAVING sum(rejected) > %(max_rejected_share)s::numeric * sum(lines)
ORDER BY kind
