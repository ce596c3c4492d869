"""Nothing is lost, nothing is counted twice: workers that stop, die and share."""
import time

import pytest

from helpers import LANES, wait_until, write_batch

pytestmark = pytest.mark.timeout(90)
TOTAL, CONCURRENCY = 2000, 16
DUPLICATES = "SELECT job_id, custom_id FROM results GROUP BY 1, 2 HAVING count(*) > 1"
FAIR = {"high": 2, "normal": 2, "low": 2}  # of two workers, with four partitions a lane


def submit_lanes(world, total=TOTAL):
    """Three jobs, one a lane."""
    for lane, share in zip(LANES, (total // 4, total // 2, total // 4)):
        path = write_batch(world.path / f"{lane}.jsonl", share, prefix=lane)
        world.quern("submit", path, "--job", lane, "--priority", lane)


def check_all_done(world, total=TOTAL):
    assert world.rows() == total
    assert world.sql(DUPLICATES) == []
    assert world.sql("SELECT DISTINCT status FROM results") == [("succeeded",)]
    for lane in LANES:
        s = world.status(lane)
        assert s["state"] == "completed" and s["succeeded"] == s["total"]
        assert len(world.results(lane)) == s["total"]
    world.check_counters()


def kill_and_count_losses(world, worker, stub):
    """SIGKILL; how many calls were made whose result was not written."""
    worker.kill()
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quern-worker'"
    wait_until(lambda: world.value(connected + " AND datname = current_database()") == 0)
    return stub.total() - world.rows()


def test_2000_tasks_survive_a_stopped_and_a_killed_worker(world):
    stub = world.start_stub("--latency", "0.02", "--jitter", "0.03")
    world.set_up(stub, worker={"concurrency": CONCURRENCY})
    submit_lanes(world)
    worker = world.start_worker()
    world.wait_rows(500)
    assert worker.stop() == 0
    assert 500 <= world.rows() < TOTAL
    assert stub.total() == world.rows() and not stub.repeated(), "SIGTERM cost repeated calls"
    world.check_counters()

    worker = world.start_worker()
    world.wait_rows(1200)
    lost = kill_and_count_losses(world, worker, stub)
    assert world.rows() < TOTAL

    worker = world.start_worker()
    world.wait_rows(TOTAL)
    assert worker.stop() == 0
    check_all_done(world)
    repeats = stub.total() - TOTAL
    assert repeats <= lost and repeats <= 2 * CONCURRENCY  # in flight, and waiting to be written
    assert all(n == 2 for n in stub.repeated().values())


def test_workers_share_the_load_and_hand_it_over(world):
    total = 1000
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": CONCURRENCY}, kafka={"partitions": 4})
    first, second = world.start_worker(), world.start_worker()
    wait_until(lambda: first.assigned() == second.assigned() == FAIR, what="a fair share of each lane")
    submit_lanes(world, total)
    world.wait_rows(300)
    assert first.stop() == 0
    assert world.rows() < total
    world.wait_rows(total)
    assert second.stop() == 0
    check_all_done(world, total)
    assert first.finished() > 50 and second.finished() > 50
    assert first.finished() + second.finished() == total
    assert not stub.repeated()


def test_a_worker_joins_in_the_middle(world):
    total = 600
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 8}, kafka={"partitions": 4})
    submit_lanes(world, total)
    first = world.start_worker()
    world.wait_rows(100)
    second = world.start_worker()
    world.wait_rows(total)
    check_all_done(world, total)
    assert not stub.repeated()
    assert first.stop() == 0 and second.stop() == 0
    assert second.finished() > 0


def test_a_worker_stops_while_another_joins(world):
    total = 600
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 8}, kafka={"partitions": 4})
    submit_lanes(world, total)
    first = world.start_worker()
    world.wait_rows(50)
    second = world.start_worker()
    wait_until(lambda: first.events("partitions revoked"))
    assert first.stop() == 0
    world.wait_rows(total)
    check_all_done(world, total)
    assert not stub.repeated()
    assert second.stop() == 0


def test_survivors_take_over_within_15_seconds(world):
    total = 400
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 8}, kafka={"partitions": 4})
    first, second = world.start_worker(), world.start_worker()
    wait_until(lambda: first.assigned() == second.assigned() == FAIR, what="a fair share of each lane")
    submit_lanes(world, total)
    world.wait_rows(60)
    first.kill()
    killed = time.monotonic()
    world.wait_rows(total)  # half of the rest was the other's
    assert time.monotonic() - killed < 15
    check_all_done(world, total)
    assert stub.total() - total <= 2 * 8  # in flight, and answered but not written
    assert second.stop() == 0


def test_high_overtakes_a_backlog_of_low(world):
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 4})
    low = write_batch(world.path / "low.jsonl", 500, prefix="low")
    high = write_batch(world.path / "high.jsonl", 20, prefix="high")
    world.quern("submit", low, "--job", "low", "-p", "low")
    worker = world.start_worker()
    world.wait_rows(20)
    world.quern("submit", high, "--job", "high", "-p", "high", "--wait")
    before = world.value("SELECT count(*) FROM results WHERE lane = 'low' AND finished_at <="
                         " (SELECT max(finished_at) FROM results WHERE lane = 'high')")
    assert before < 250, f"{before} of 500 low tasks were done before the last of 20 high ones"
    world.wait_rows(520)
    assert worker.stop() == 0


def test_low_is_not_starved_by_high(world):
    stub = world.start_stub("--latency", "0.02")
    world.set_up(stub, worker={"concurrency": 4})
    for lane in ("high", "low"):
        path = write_batch(world.path / f"{lane}.jsonl", 300, prefix=lane)
        world.quern("submit", path, "--job", lane, "-p", lane)
    world.start_worker()
    wait_until(lambda: world.value("SELECT count(*) FROM results WHERE lane = 'high'") >= 300)
    before = world.value("SELECT count(*) FROM results WHERE lane = 'low'")
    assert 5 <= before <= 150  # about one in seventeen
