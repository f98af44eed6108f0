"""The fan-out of the benchmark in Python's redun. Prints microseconds a job, cold and cached, as JSON."""
import json
import logging
import os
import sys
import tempfile
import time

from redun import Scheduler, task
from redun.config import Config

logging.disable(logging.CRITICAL)
redun_namespace = "bench"


@task()
def inc(n: int) -> int:
    return n + 1


@task()
def total(items: list) -> int:
    return sum(items)


@task()
def fan(n: int) -> int:
    return total([inc(i) for i in range(n)])


n = int(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    scheduler = Scheduler(config=Config({"backend": {"db_uri": "sqlite:///" + os.path.join(folder, "redun.db")}}))
    scheduler.load()
    times = []
    for _ in range(2):
        start = time.perf_counter()
        scheduler.run(fan(n))
        times.append((time.perf_counter() - start) / n * 1e6)
print(json.dumps({"cold": times[0], "cached": times[1]}))
