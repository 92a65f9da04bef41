"""Export of `dwh`: one snapshot of its tables as Parquet or CSV files, with a manifest that says what they hold."""
