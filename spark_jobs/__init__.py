"""Songlake: files of songs and listening events into a star schema that analysts trust."""
