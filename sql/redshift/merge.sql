-- Makes the rows that arrived live; one that is live already as it arrived is not rewritten.
-- Filled in for each table by spark_jobs/warehouse/redshift.py. Redshift's MERGE has no condition beside MATCHED, and Redshift
-- neither IS DISTINCT FROM nor row constructors; so equal rows are taken out first, column by column.
DELETE FROM {arrived} USING {live} WHERE {same_in_live} AND {all_equal};
MERGE INTO {live} USING {arrived} ON {same_in_live}
WHEN MATCHED THEN UPDATE SET {assignments}
WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values});
