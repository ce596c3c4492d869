"""The number of calls at a time adapts to what a backend bears."""
import json

import pytest

from helpers import request, write_lines

pytestmark = pytest.mark.timeout(120)

CAPACITY, TASKS, LATENCY = 100, 4000, 0.4


def test_a_backend_is_held_at_its_capacity_with_few_refusals(world):
    log = world.path / "calls.jsonl"
    stub = world.start_stub("--capacity", CAPACITY, "--latency", LATENCY, "--log", log)
    world.set_up(stub, worker={"concurrency": 1000}, retry={"base_delay": "100ms", "attempts": 10}, backends=[
        {"name": "b", "base_url": stub.url, "concurrency": {"min": 1, "start": 10}}],
        models=[{"name": "*", "candidates": [{"backend": "b"}]}])
    worker = world.start_worker()
    path = write_lines(world.path / "in.jsonl", [request(f"t{i}", f"Summarize: text number {i} of many.")
                                                 for i in range(TASKS)])
    world.quern("submit", path, "--job", "job", "--wait", timeout=90)
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    refused = [c for c in calls if c["status"] == 429]
    assert len(refused) < 0.03 * len(calls)
    served = sorted(c["at"] for c in calls if c["status"] == 200)
    steady = served[len(served) // 4:len(served) * 9 // 10]
    held = len(steady) / (steady[-1] - steady[0]) * LATENCY
    assert 85 <= held <= 105, held
    assert "fewer calls at a time" in worker.text()
