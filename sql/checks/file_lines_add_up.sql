-- severity: fail
-- Every line of a file was accepted, repeated or rejected; none is lost.
-- Parameters: none. Called by spark_jobs/warehouse/check.py.
SELECT path, lines AS all_lines, accepted, repeated, rejected
FROM staging.files
WHERE NOT deleted AND (lines <> accepted + repeated + rejected OR least(lines, accepted, repeated, rejected) < 0)
ORDER BY path
