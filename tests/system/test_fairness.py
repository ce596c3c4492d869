"""Tenants take turns, whoever came first."""
import json
import signal

import confluent_kafka
import pytest

from helpers import wait_until, write_batch, write_lines
from helpers_kafka import task, uuid7

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


def count_of(world, tenant):
    return world.value("SELECT count(*) FROM results WHERE tenant = %s", tenant)


def large_done_when_small_is(world):
    wait_until(lambda: count_of(world, "small") == SMALL, 60)
    return count_of(world, "large")


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
    assert count_of(world, "small") == SMALL
    world.check_counters()


def test_a_transactional_producer_leaves_gaps(world, kafka):
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8, "queue_tasks": 200}, fairness={"lookahead": 100_000})
    producer = confluent_kafka.Producer({"bootstrap.servers": world.servers.brokers,
                                         "transactional.id": world.prefix})
    producer.init_transactions()
    job = uuid7()
    for tenant, count in (("large", 2000), ("small", 40)):
        for first in range(0, count, 20):
            producer.begin_transaction()
            for i in range(first, first + 20):
                record = task(job, f"{tenant}-{i}", f"{tenant} {i}", tenant=tenant)
                producer.produce(kafka.topic("tasks.normal"), json.dumps(record), partition=i % 2)
            # An abort before the broker knows of the records is refused (librdkafka #4849) and would leave no gap.
            producer.flush()
            producer.abort_transaction() if first == 500 else producer.commit_transaction()
    worker = world.start_worker()
    wait_until(lambda: count_of(world, "small") == 40, 60)
    assert count_of(world, "large") < 600
    world.wait_rows(2020)
    assert worker.stop() == 0
    assert stub.total() == 2020


def test_weights_share_a_lane_by_tokens(world):
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 8, "queue_tasks": 600},
                 fairness={"lookahead": 100_000, "weights": [{"tenant": "gold*", "weight": 3}]})
    for tenant in ("bronze", "gold-1"):
        world.quern("submit", write_batch(world.path / f"{tenant}.jsonl", 2000, prefix=tenant),
                    "--job", tenant, "--tenant", tenant)
    worker = world.start_worker()
    wait_until(lambda: count_of(world, "gold-1") > 100)
    gold, bronze = count_of(world, "gold-1"), count_of(world, "bronze")
    world.wait_rows(gold + bronze + 400)
    assert 2 < (count_of(world, "gold-1") - gold) / (count_of(world, "bronze") - bronze) < 4
    assert worker.stop() == 0


def test_a_thousand_tenants_beside_a_large_one(world):
    """One tenant has 90 % of the load, and came first; the others need not wait for it."""
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 16, "queue_tasks": 3000}, fairness={"lookahead": 100_000})
    world.quern("submit", write_batch(world.path / "large.jsonl", 9000, prefix="large"), "--job", "large",
                "--tenant", "large")
    small = [{**json.loads(line), "tenant": f"tenant-{i}"} for i, line in
             enumerate(write_batch(world.path / "small.jsonl", 1000, prefix="small").read_text().splitlines())]
    world.quern("submit", write_lines(world.path / "many.jsonl", small), "--job", "small")
    worker = world.start_worker()
    wait_until(lambda: world.value("SELECT count(*) FROM results WHERE tenant <> 'large'") == 1000, 60)
    assert count_of(world, "large") < 3000
    world.wait_rows(10000, 80)
    assert worker.stop() == 0
    assert stub.total() == 10000
