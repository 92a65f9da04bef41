"""Every Delta read and write. `log` needs no JVM; `tables` is Spark's side."""
