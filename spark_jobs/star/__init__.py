"""The star schema: DataFrames in, one DataFrame out. No session, path, clock, write or setting in here."""
