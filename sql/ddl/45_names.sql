-- The text by which names of songs and artists are compared: without case and runs of white space (ASCII and U+00A0).
-- Two names that Spark takes for the same (spark_jobs/star/songplays.py) have the same text here, as far as PostgreSQL and Java know the
-- same letters: what a Greek sigma becomes at the end of a word, and a capital I with a dot, depends on who lowers it, so neither is left
-- to lower(). A database whose locale is C lowers ASCII letters only.
-- Called by spark_jobs/warehouse/schema.py when the schema is made or upgraded; may run again at any time.
CREATE OR REPLACE FUNCTION dwh.folded(name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(lower(regexp_replace(replace(name, 'İ', U&'i\0307'), '[ \t\n\v\f\r\u00a0]+', ' ', 'g')), 'ς', 'σ');
