"""The way from a row of the star schema back to the file, the line and the batches it came from. No JVM."""
