#!/usr/bin/env python3
"""A Spark job that classifies the lines of text files by RDD.pipe.

    spark-submit --files model.json tools/recipes/spark_pipe.py model.json INPUT OUTPUT

`pipe` starts one process for each partition, writes a record a line to it and reads lines until it ends; any exit
status but 0 fails the task. So records must not hold newlines, each has one answer in its place, and a bad record must
not fail the task: `--no-fail` makes it an error record, and only a model that cannot be read or an output that cannot
be written ends with another status.
"""
import shlex
import sys


def command(model, program="bytecnn"):
    """What `pipe` starts; it splits at white space and knows no quotes, so paths hold none."""
    return f"{program} classify {model} --output jsonl --no-fail --threads 1"


def main():
    from pyspark.sql import SparkSession
    model, source, target = sys.argv[1:]
    if shlex.split(model) != model.split():
        sys.exit("spark_pipe: the model's path must not need quotes")
    lines = SparkSession.builder.appName("bytecnn").getOrCreate().sparkContext.textFile(source)
    lines.pipe(command(model)).saveAsTextFile(target)


if __name__ == "__main__":
    main()
