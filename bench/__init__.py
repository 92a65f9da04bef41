"""Measurements: ratios against a peer in the same run, on the same files and the same PostgreSQL."""
