"""Options of the JVM that are not those of every run, which are in `conf/spark-defaults.conf`. Needs no Spark."""

FULL_COMPILER = " ".join(
    (
        # Leaving out TieredStopAtLevel gives the full compiler. It is slow to work and quick to be called: at its own thresholds it took
        # 68 of 189 CPU s of a model of 860,000 plays; called at ten times those the model took 153, at three or forty times 167 to 169.
        # A first load of a million events took 121 instead of 125.
        "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000",
        "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000",
        # A small young generation and a heap that follows what is live, instead of filling spark.driver.memory:
        # a million events peak at 2.4 GiB for all processes instead of 2.9, in the same time.
        "-XX:+UseSerialGC -Xmn320m -XX:MinHeapFreeRatio=10 -XX:MaxHeapFreeRatio=20",
    )
)
"""`spark.driver.extraJavaOptions` of long work: the full compiler takes seconds at first and earns them back later."""
