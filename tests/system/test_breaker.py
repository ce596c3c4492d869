"""A backend's outage opens its breaker: it costs time, no attempts and no task."""
import time

import pytest

from helpers import request, wait_until, write_lines
from proxy import Proxy

pytestmark = [pytest.mark.timeout(60), pytest.mark.waits]
SUCCEEDED = "SELECT count(*) FROM results WHERE status = 'succeeded'"
LETTERS = "SELECT count(*) FROM dead_letters"


def port_of(stub):
    return stub.url.split(":")[2].split("/")[0]


def good(n):
    return [request(f"ok-{i}", f"Summarize: good text {i}.") for i in range(n)]


def submit(world, lines, job="job", *args, **kwargs):
    path = write_lines(world.path / f"{job}.jsonl", lines)
    return world.quern("submit", path, "--job", job, *args, **kwargs)


def out(worker):
    return worker.events("a backend is out; its tasks wait")


def check_all_succeeded(world, total):
    assert world.sql("SELECT status, count(*) FROM results GROUP BY 1") == [("succeeded", total)]
    assert world.value(LETTERS) == 0
    world.check_counters()


def test_an_outage_costs_time_and_nothing_else(world):
    stub = world.start_stub("--latency", "0.05")
    world.set_up(stub, worker={"concurrency": 8})
    worker = world.start_worker()
    submit(world, good(200))
    world.wait_rows(60)
    stub.kill()
    before = world.rows()
    wait_until(lambda: out(worker), 5)
    time.sleep(9)
    assert world.value(SUCCEEDED) == world.rows() <= before + 2 * 8
    again = world.start_stub("--port", port_of(stub), "--latency", "0.05")
    back = time.monotonic()
    wait_until(lambda: again.total() > 8, 8, "new calls")
    assert time.monotonic() - back < 6.5, "the probes come too seldom"
    world.wait_rows(200, 10)
    check_all_succeeded(world, 200)
    assert worker.events("a backend is back")[0]["out_s"] >= 8
    failed = world.value("SELECT count(*) FROM attempts WHERE error_type IS NOT NULL")
    assert failed <= 3 * 8 + 3 * 6, "around the kill, and the probes"


def test_connections_that_broke_do_not_lengthen_the_outage(world):
    """Each of 64 calls broke on a connection that was used before; none of it lasts."""
    stub = world.start_stub("--latency", "0.3")
    world.set_up(stub, worker={"concurrency": 64})
    worker = world.start_worker()
    submit(world, good(400))
    world.wait_rows(140)
    stub.kill()
    wait_until(lambda: out(worker), 5)
    time.sleep(1)
    again = world.start_stub("--port", port_of(stub))
    begun = time.monotonic()
    world.wait_rows(400, 40)
    assert time.monotonic() - begun < 6.5 and again.total() <= 300
    assert world.value("SELECT count(*) FROM attempts WHERE error LIKE '%rewinding%'"
                       " AND duration_ms = 0") == 0  # others broke in the middle, and were not sent twice
    check_all_succeeded(world, 400)


def test_the_tasks_of_the_only_backend_are_not_parked(world):
    proxy = Proxy(int(port_of(world.start_stub("--latency", "0.05"))))
    world.set_up(worker={"concurrency": 32, "queue_tasks": 400},
                 backends=[{"name": "stub", "base_url": f"http://127.0.0.1:{proxy.port}/v1"}])
    submit(world, good(900))
    worker = world.start_worker()
    world.wait_rows(60)
    proxy.cut()
    wait_until(lambda: out(worker), 5)
    time.sleep(0.5)
    assert world.sql("SELECT reason, count(*) FROM parked GROUP BY 1") == []


def test_a_flapping_backend_costs_no_task(world):
    proxy = Proxy(int(port_of(world.start_stub("--latency", "0.2"))))
    world.set_up(worker={"concurrency": 16},
                 backends=[{"name": "stub", "base_url": f"http://127.0.0.1:{proxy.port}/v1",
                            "breaker": {"wait": "300ms", "wait_max": "300ms"}}])
    submit(world, good(400))
    worker = world.start_worker()
    for _ in range(8):
        rows = world.rows()
        wait_until(lambda: world.rows() > rows, 10, "some results")
        proxy.cut()
        time.sleep(0.5)
        proxy.restore()
    world.wait_rows(400, 20)
    assert len(out(worker)) >= 5
    check_all_succeeded(world, 400)
    proxy.close()


def test_a_storm_sends_nothing_to_the_dead_letters(world):
    storm = world.start_stub("--fault", "503=0.5", "--fault", "429=0.5", "--retry-after", "1")
    world.set_up(storm)
    submit(world, good(200))
    worker = world.start_worker()
    wait_until(lambda: out(worker), 5)
    time.sleep(6)
    assert world.rows() == 0 and storm.total() <= 32 + 3 * 5
    assert not worker.events("a backend is back")
    storm.kill()
    world.start_stub("--port", port_of(storm))
    world.wait_rows(200, 10)
    check_all_succeeded(world, 200)


def test_while_one_candidate_is_out_tasks_go_to_the_next(world):
    first, second = world.start_stub("--latency", "0.02"), world.start_stub("--latency", "0.02")
    world.set_up(
        worker={"concurrency": 8},
        backends=[{"name": "first", "base_url": first.url}, {"name": "second", "base_url": second.url}],
        models=[{"name": "*", "candidates": [{"backend": "first"}, {"backend": "second"}]}])
    worker = world.start_worker()
    submit(world, good(100), "one")
    world.wait_rows(100)
    assert second.total() == 0
    first.kill()
    begun = time.monotonic()
    submit(world, good(200), "two", "--wait")
    assert time.monotonic() - begun < 6
    assert second.total() == 200 and len(out(worker)) == 1
    world.start_stub("--port", port_of(first), "--latency", "0.02")
    time.sleep(3)
    submit(world, good(100), "three", "--wait")
    by = dict(world.sql("SELECT backend, count(*) FROM results GROUP BY 1"))
    check_all_succeeded(world, 400)
    assert by["second"] < 300, "the first candidate is back, and nobody noticed"


def bad_among_good(world, fault, position, retry_after="0"):
    """One task that always fails, among 200 good ones; returns how long the job took."""
    stub = world.start_stub("--latency", "0.02", "--retry-after", retry_after)
    world.set_up(stub, worker={"concurrency": 8})
    lines = good(200)
    lines.insert(position, request("bad", f"[[stub:{fault}]] Summarize: a text that never works."))
    submit(world, lines)
    begun = time.monotonic()
    worker = world.start_worker()
    wait_until(lambda: world.value(SUCCEEDED) == 200, 15, "200 good tasks")
    assert time.monotonic() - begun < 5, "the good ones waited for the bad one"
    wait_until(lambda: world.rows() == 201, 15, "the end of the bad task")
    wait_until(lambda: world.value(LETTERS + " WHERE published_at IS NOT NULL") == 1, 5)
    assert world.sql("SELECT custom_id, status, attempts FROM results WHERE status <> 'succeeded'") == [
        ("bad", "failed", 4)]
    assert world.status("job")["state"] == "completed"
    submit(world, good(20), "after", "--wait", timeout=10)  # nothing is left of it
    world.check_counters()
    return worker


@pytest.mark.parametrize("fault", ["500", "503", "429"])
def test_one_bad_task_among_good_ones_is_no_outage(world, fault):
    worker = bad_among_good(world, fault, 20)
    assert not out(worker)


def test_a_bad_task_at_the_end_of_its_job_ends_too(world):
    bad_among_good(world, "500", 200)


@pytest.mark.parametrize("fault", ["500", "503"])
def test_a_bad_task_that_is_alone_ends_too(world, fault):
    stub = world.start_stub("--retry-after", "0")
    world.set_up(stub)
    world.start_worker()
    submit(world, good(200), "good", "--wait")
    submit(world, [request("bad", f"[[stub:{fault}]] Summarize: a text that never works.")], "bad")
    wait_until(lambda: world.rows() == 201, 9, "the end of the bad task")


def test_bad_tasks_at_the_head_do_not_hold_up_good_ones(world):
    """The first three calls fail: the breaker opens, and its probes must not be the same again."""
    stub = world.start_stub()
    world.set_up(stub, worker={"concurrency": 1}, kafka={"partitions": 1})
    bad = [request(f"bad-{i}", f"[[stub:503]] Summarize: text {i} that never works.") for i in range(3)]
    submit(world, bad + good(50))
    world.start_worker()
    wait_until(lambda: world.value(SUCCEEDED) == 50, 8, "50 good tasks")


def test_an_outage_without_end_is_given_up(world):
    world.set_up(retry={"give_up_after": "2s"})  # nobody listens there
    begun = time.monotonic()
    worker = world.start_worker()
    submit(world, good(40), "job", "--wait", code=3, timeout=20)
    assert 1.5 < time.monotonic() - begun < 12
    assert out(worker)
    assert {s for s, in world.sql("SELECT DISTINCT status FROM results")} == {"failed"}
    wait_until(lambda: world.value(LETTERS + " WHERE published_at IS NOT NULL") == 40, 5)
    assert {r for r, in world.sql("SELECT DISTINCT reason FROM dead_letters")} <= {"network", "backend_out"}
    world.check_counters()
