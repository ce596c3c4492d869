"""A backlog flows: fast calls are never without tasks."""
import time
import urllib.parse

import pytest

from helpers import write_batch

pytestmark = pytest.mark.timeout(90)

TASKS, EVERY = 15_000, 0.05


def progress(world):
    """Results since the last look, every 50 ms, from the first one to the last."""
    seen, steps, start = 0, [], None
    while seen < TASKS:
        now = int(world.value("SELECT coalesce(sum(succeeded), 0) FROM job_counters"))
        if now and start is None:
            start = time.monotonic()
        if start is not None:
            steps.append(now - seen)
            time.sleep(max(0, start + EVERY * len(steps) - time.monotonic()))
        seen = now
    return steps


@pytest.mark.parametrize("fairness", [{}, {"lookahead": 50_000}])
def test_intake_keeps_up_when_its_queue_was_full(world, fairness):
    """librdkafka looks again at a queue that was full after up to a second, unless it is woken."""
    world.set_up(world.start_stub(), worker={"concurrency": 100}, fairness=fairness)
    world.quern("submit", write_batch(world.path / "in.jsonl", TASKS, text="{} {} " + "x" * 2000), "--job", "job")
    worker = world.start_worker()
    steps = progress(world)
    assert steps.count(0) < len(steps) * 0.3, steps
    assert worker.stop() == 0


def connections_to(url):
    """How many connections to a local server are open, on the client's side."""
    port = urllib.parse.urlsplit(url).port
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def test_no_more_connections_than_calls_in_flight(world):
    """Calls that end in another order than they began go out on connections that are open."""
    stub = world.start_stub("--latency", "0.1", "--jitter", "0.6")
    world.set_up(stub, worker={"concurrency": 1000})
    world.quern("submit", write_batch(world.path / "in.jsonl", 8000), "--job", "job")
    worker = world.start_worker()
    world.wait_rows(5000)
    assert 500 < connections_to(stub.url) <= 1010
    assert worker.stop() == 0


def test_connections_stay_open_between_bursts(world):
    """libcurl would close most of them once few calls are in flight."""
    stub = world.start_stub("--latency", "0.5")
    world.set_up(stub, worker={"concurrency": 400})
    worker = world.start_worker()
    world.quern("submit", write_batch(world.path / "in.jsonl", 800), "--job", "job")
    world.wait_rows(800)
    assert connections_to(stub.url) >= 380
    assert worker.stop() == 0
