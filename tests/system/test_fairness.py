"""Tenants take turns, whoever came first."""
import signal

import pytest

from helpers import wait_until, write_batch

pytestmark = pytest.mark.timeout(120)

LARGE, SMALL = 4000, 40


def backlog(world, lookahead):
    """A small tenant's tasks behind a large one's, 20 times what fits into memory."""
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8, "queue_tasks": 200, "settle_delay": "1ms"},
                 fairness={"lookahead": lookahead})
    world.quern("submit", write_batch(world.path / "l.jsonl", LARGE), "--job", "large", "--tenant", "large")
    world.quern("submit", write_batch(world.path / "s.jsonl", SMALL, prefix="s"), "--job", "small",
                "--tenant", "small")
    return stub


def count(world, tenant):
    return world.value("SELECT count(*) FROM results WHERE tenant = %s", tenant)


def large_done_when_small_is(world):
    wait_until(lambda: count(world, "small") == SMALL, 60)
    return count(world, "large")


def test_a_small_tenant_need_not_wait_for_a_large_one(world):
    stub = backlog(world, 100_000)
    worker = world.start_worker()
    assert large_done_when_small_is(world) < LARGE / 10
    world.wait_rows(LARGE + SMALL)
    assert worker.stop() == 0
    assert stub.total() == LARGE + SMALL  # what was taken ahead of its turn is not taken again
    world.check_counters()


def test_a_lookahead_is_as_long_as_it_says(world):
    backlog(world, 1000)
    worker = world.start_worker()
    at_most = large_done_when_small_is(world)
    assert LARGE / 4 < at_most < LARGE
    assert worker.stop() == 0


def test_workers_that_are_killed_while_they_look_ahead_lose_nothing(world):
    backlog(world, 100_000)
    for results in (200, 1000):
        worker = world.start_worker()
        other = world.start_worker()
        world.wait_rows(results)
        worker.signal(signal.SIGKILL)
        assert other.stop() == 0
    last = world.start_worker()
    world.wait_rows(LARGE + SMALL)
    assert last.stop() == 0
    assert count(world, "small") == SMALL
    world.check_counters()


def test_weights_share_a_lane_by_tokens(world):
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8, "queue_tasks": 600},
                 fairness={"lookahead": 100_000, "weights": [{"tenant": "gold*", "weight": 3}]})
    for tenant in ("bronze", "gold-1"):
        world.quern("submit", write_batch(world.path / f"{tenant}.jsonl", 2000, prefix=tenant),
                    "--job", tenant, "--tenant", tenant)
    worker = world.start_worker()
    wait_until(lambda: count(world, "gold-1") > 100)
    gold, bronze = count(world, "gold-1"), count(world, "bronze")
    world.wait_rows(gold + bronze + 400)
    assert 2 < (count(world, "gold-1") - gold) / (count(world, "bronze") - bronze) < 4
    assert worker.stop() == 0
