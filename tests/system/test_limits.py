"""Requests and tokens per minute hold over all workers together, in every stretch of a minute."""
import json
import time

import pytest

from helpers import request, wait_until, write_lines

pytestmark = [pytest.mark.timeout(200), pytest.mark.waits]

WORKERS, SECONDS = 4, 75


def most_in_a_minute(calls, weight):
    """The largest sum of weights in any 60 s."""
    best = total = first = 0
    for last, call in enumerate(calls):
        total += weight(calls[last])
        while calls[first]["at"] <= call["at"] - 60:
            total -= weight(calls[first])
            first += 1
        best = max(best, total)
    return best


@pytest.mark.parametrize("requests,tokens,binding", [(600, 10_000_000, "requests"), (6_000_000, 60_000, "tokens")])
def test_four_workers_use_a_limit_whole_and_never_exceed_it(world, requests, tokens, binding):
    log = world.path / "calls.jsonl"
    stub = world.start_stub("--latency", "0.2", "--log", log)
    world.set_up(stub, models=[{"name": "*", "candidates": [{"backend": "b"}]}], kafka={"partitions": 8}, backends=[
        {"name": "b", "base_url": stub.url,
         "limits": [{"requests_per_minute": requests, "tokens_per_minute": tokens}]}])
    for _ in range(WORKERS):
        world.start_worker()
    text = "Summarize: text number {} of many, with some more words so that it uses some tokens. " * 3
    path = write_lines(world.path / "in.jsonl", [request(f"t{i}", text.format(*[i] * 3)) for i in range(3000)])
    world.quern("submit", path, "--job", "job")
    wait_until(lambda: log.exists() and log.read_text(), 30)
    time.sleep(SECONDS)
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    calls.sort(key=lambda c: c["at"])
    weight, limit = ((lambda c: 1), requests) if binding == "requests" else (
        (lambda c: c["input"] + c["output"]), tokens)
    used = most_in_a_minute(calls, weight)
    assert used <= 1.02 * limit, used
    begin = calls[0]["at"] + 10
    later = [c for c in calls if begin < c["at"] <= begin + 60]
    assert sum(map(weight, later)) >= 0.95 * limit, sum(map(weight, later))
    assert all(c["status"] == 200 for c in calls)
