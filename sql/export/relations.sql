-- Every table and view of dwh: its columns in order, their types, which of them are sorted as text, its primary key, and whether this user
-- may read it.
-- Called by spark_jobs/export/relations.py.
SELECT
    relations.relname::text AS relation_name,
    has_schema_privilege(relations.relnamespace, 'USAGE') AND has_table_privilege(relations.oid, 'SELECT') AS is_readable,
    array_agg(attributes.attname::text ORDER BY attributes.attnum) AS column_names,
    array_agg(format_type(attributes.atttypid, attributes.atttypmod) ORDER BY attributes.attnum) AS column_types,
    coalesce(array_agg(attributes.attname::text) FILTER (WHERE attributes.attcollation <> 0), '{}') AS text_columns,
    coalesce((
        SELECT array_agg(keys.attname::text ORDER BY array_position(indexes.indkey::smallint[], keys.attnum))
        FROM pg_index AS indexes
        INNER JOIN pg_attribute AS keys ON indexes.indrelid = keys.attrelid AND keys.attnum = any(indexes.indkey)
        WHERE indexes.indrelid = relations.oid AND indexes.indisprimary
    ), '{}') AS key_columns
FROM pg_class AS relations
INNER JOIN pg_attribute AS attributes ON relations.oid = attributes.attrelid AND attributes.attnum > 0 AND NOT attributes.attisdropped
WHERE relations.relnamespace = to_regnamespace('dwh') AND relations.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY relations.oid, relations.relname, relations.relnamespace
ORDER BY relations.relname
