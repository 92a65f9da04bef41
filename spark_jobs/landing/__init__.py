"""The landing zone: find files, tell what is new, read and validate lines."""
