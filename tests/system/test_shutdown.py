"""Shutdown is clean; a database that goes away costs time, and nothing else."""
import signal
import threading
import time

import pytest

from helpers import wait_until, write_batch

pytestmark = pytest.mark.timeout(60)


def start(world, latency, concurrency, total, **changes):
    stub = world.start_stub("--latency", str(latency))
    world.set_up(stub, worker={"concurrency": concurrency, **changes.pop("worker", {})}, **changes)
    path = write_batch(world.path / "in.jsonl", total)
    world.quern("submit", path, "--job", "job")
    return stub, world.start_worker()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_calls_in_flight_end_before_the_worker(world, number):
    stub, worker = start(world, 2, 8, 40)
    wait_until(lambda: stub.total() == 8)
    worker.signal(number)
    start_time = time.monotonic()
    assert worker.wait() == 0
    assert time.monotonic() - start_time < 5
    assert world.rows() == stub.total() == 8
    assert worker.finished() == 8
    world.check_counters()


def test_the_grace_has_an_end(world):
    stub, worker = start(world, 30, 4, 10, worker={"shutdown_grace": "1s"})
    wait_until(lambda: stub.total() == 4)
    start_time = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - start_time < 6
    assert world.rows() == 0
    assert world.value("SELECT count(*) FROM attempts") == 4  # begun, and perhaps billed


def test_a_second_signal_quits_at_once(world):
    stub, worker = start(world, 30, 4, 10)
    wait_until(lambda: stub.total() == 4)
    worker.signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in worker.text())
    assert worker.running()
    worker.signal(signal.SIGTERM)
    assert worker.wait(2) != 0


def test_an_idle_worker_stops_at_once(world):
    _, worker = start(world, 0, 4, 1)
    world.wait_rows(1)
    start_time = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - start_time < 3


def test_lost_connections_and_a_lock_cost_nothing(world):
    total = 800
    stub, worker = start(world, 0.03, 16, total)
    workers = ("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
               " WHERE datname = current_database() AND application_name LIKE 'quern-worker%'")

    def hold_lock():
        with world.servers.connect(world.database) as db, db.transaction():
            db.execute("LOCK TABLE results IN ACCESS EXCLUSIVE MODE")
            time.sleep(3)

    world.wait_rows(100)
    assert world.value(workers) >= 2
    world.wait_rows(200)
    holder = threading.Thread(target=hold_lock)
    holder.start()
    time.sleep(1)
    world.value(workers)  # in the middle of a blocked write
    holder.join()
    world.wait_rows(total)
    assert worker.stop() == 0
    assert world.sql("SELECT DISTINCT status FROM results") == [("succeeded",)]
    assert world.rows() == stub.total() == total and not stub.repeated()
    world.check_counters()


def test_stopping_while_the_database_is_blocked_loses_nothing(world):
    stub, worker = start(world, 0.05, 8, 200)
    world.wait_rows(50)
    with world.servers.connect(world.database) as db, db.transaction():
        db.execute("LOCK TABLE results IN ACCESS EXCLUSIVE MODE")
        worker.signal(signal.SIGTERM)
        time.sleep(2)
        assert worker.running()
    assert worker.wait() == 0
    assert world.rows() == stub.total()
    world.start_worker()
    world.wait_rows(200)
    assert stub.total() == 200
    world.check_counters()


def test_a_worker_that_waits_for_the_database_stops_at_once(world):
    world.configure()
    worker = world.start_worker(QUERN_DATABASE_URL="postgresql://127.0.0.1:9/nobody")
    wait_until(lambda: "waiting for PostgreSQL" in worker.text())
    assert worker.stop(3) == 0
