"""A backlog flows: fast calls are never without tasks."""
import time

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
