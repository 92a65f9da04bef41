-- severity: warn
-- The files of this batch have no keys but those that Songlake knows; a new one may be worth a column.
-- Parameters: none. Called by spark_jobs/warehouse/check.py. Each key is named once, with the first file that has it.
SELECT
    named.kind,
    named.key,
    min(named.path) AS first_file,
    count(*) AS files
FROM (
    SELECT
        staged.kind,
        staged.path,
        unnest(staged.unknown_keys) AS key
    FROM staging.files AS staged
    WHERE NOT staged.deleted
) AS named
GROUP BY named.kind, named.key
ORDER BY named.kind, named.key
