"""A cancelled job ends at once: queued, running and parked tasks; nothing revives."""
import time

import pytest

from helpers import request, wait_until, write_batch, write_lines

pytestmark = [pytest.mark.timeout(60), pytest.mark.waits]
SOON = 5  # seconds: what "within seconds" means here


def submit(world, lines, job="job"):
    world.quern("submit", write_lines(world.path / f"{job}.jsonl", lines), "--job", job)


def tasks(n, marker="", prefix="t"):
    return [request(f"{prefix}-{i}", f"{marker}Summarize: text {i} of {prefix}.") for i in range(n)]


def start(world, *stub_args, **changes):
    stub = world.start_stub(*stub_args)
    world.set_up(stub, **changes)
    return stub


def start_parking(world, retry_after, latency="0"):
    """The breaker would take a storm of 429s for an outage: it is off."""
    stub = world.start_stub("--retry-after", retry_after, "--latency", latency)
    world.set_up(worker={"concurrency": 8}, retry={"base_delay": "3s", "retry_after_max": "1s"},
                 backends=[{"name": "stub", "base_url": stub.url, "breaker": {"failures": 0}}])
    return stub


def by_status(world):
    return dict(world.sql("SELECT status, count(*) FROM results GROUP BY 1"))


def wait_cancelled(world, job="job", timeout=SOON):
    wait_until(lambda: world.status(job)["state"] == "cancelled", timeout, "the end of the job", 0.2)


def check_end(world, total, job="job"):
    s = world.status(job)
    assert s["state"] == "cancelled"
    assert s["succeeded"] + s["failed"] + s["cancelled"] == total == world.rows()
    assert world.value("SELECT count(*) FROM parked") == 0
    letters = "SELECT count(*) FROM dead_letters WHERE published_at IS NOT NULL AND reason = 'cancelled'"
    wait_until(lambda: world.value(letters) == s["cancelled"], 5, "published dead letters")
    world.check_counters()


def test_queued_tasks_end_and_running_calls_are_aborted(world, kafka):
    stub = start(world, "--latency", "20", worker={"concurrency": 8})
    worker = world.start_worker()
    submit(world, tasks(500))
    wait_until(lambda: stub.total() == 8)
    world.quern("cancel", "job")
    wait_cancelled(world)
    assert by_status(world) == {"cancelled": 500}
    assert world.sql("SELECT error_type, http_status, count(*) FROM attempts GROUP BY 1, 2") == [
        ("cancelled", None, 8)]
    check_end(world, 500)
    assert stub.total() == 8
    wait_until(lambda: kafka.lag() == 0, 5, "committed offsets")
    line = world.results("job")["t-0"]
    assert line["response"] is None and line["error"]["code"] == "cancelled"
    submit(world, tasks(1, prefix="other"), "other")  # the slots are free again
    wait_until(lambda: stub.total() == 9, 3)
    assert worker.running()


def test_running_calls_may_finish(world):
    stub = start(world, "--latency", "2", worker={"concurrency": 8})
    world.start_worker()
    submit(world, tasks(100))
    wait_until(lambda: stub.total() == 8)
    world.quern("cancel", "job", "--let-running-finish")
    wait_until(lambda: world.rows() == 92, 2.5, "the end of the queued ones")
    assert world.status("job")["state"] == "cancelling"
    wait_cancelled(world)
    assert by_status(world) == {"cancelled": 92, "succeeded": 8}
    assert stub.total() == 8 == world.value("SELECT count(*) FROM attempts WHERE error IS NULL")
    check_end(world, 100)


def test_a_second_cancel_ends_the_running_calls_too(world):
    stub = start(world, "--latency", "20", worker={"concurrency": 8})
    world.start_worker()
    submit(world, tasks(20))
    wait_until(lambda: stub.total() == 8)
    world.quern("cancel", "job", "--let-running-finish")
    wait_until(lambda: world.rows() == 12, SOON)
    world.quern("cancel", "job")
    wait_cancelled(world)
    assert by_status(world) == {"cancelled": 20}
    check_end(world, 20)


def test_nothing_revives(world):
    """Tasks that wait for a short retry, and parked ones; past their times nothing is called."""
    stub = start_parking(world, "5")
    worker = world.start_worker()
    submit(world, tasks(20, "[[stub:500:1]] ", "short") + tasks(20, "[[stub:429:1]] ", "parked")
           + tasks(20, prefix="good"))
    wait_until(lambda: stub.total() == 60)
    wait_until(lambda: world.value("SELECT count(*) FROM parked WHERE published_at IS NOT NULL") == 20)
    assert by_status(world) == {"succeeded": 20}
    world.quern("cancel", "job", "--wait", timeout=SOON)
    assert by_status(world) == {"succeeded": 20, "cancelled": 40}
    check_end(world, 60)
    time.sleep(11)
    assert stub.total() == 60 and by_status(world) == {"succeeded": 20, "cancelled": 40}
    check_end(world, 60)
    assert worker.stop() == 0


def test_tasks_that_park_while_the_job_is_cancelled_end_too(world):
    """Until a worker hears of it, it goes on parking; those tasks must not wait for their time."""
    start_parking(world, "50", "0.1")
    world.start_worker()
    submit(world, tasks(300, "[[stub:429]] "))
    wait_until(lambda: world.value("SELECT count(*) FROM parked") >= 30)
    world.quern("cancel", "job")
    wait_cancelled(world, timeout=5)
    check_end(world, 300)


def test_a_cancelled_job_takes_no_more(world):
    start(world)
    path = write_batch(world.path / "in.jsonl", 50)
    world.quern("submit", path, "--job", "job")
    world.quern("cancel", "job")
    err = world.quern("submit", path, "--job", "job", code=2).err
    assert "cancelled" in err and "quern retry job --cancelled" in err
    assert world.status("job")["state"] == "cancelling"
    stub_calls = world.processes[0].total
    world.start_worker()  # nobody was there at the cancellation
    wait_cancelled(world, timeout=10)
    assert by_status(world) == {"cancelled": 50} and stub_calls() == 0
    world.quern("submit", path, "--job", "job", code=2)
    check_end(world, 50)


def test_cancel_is_idempotent_and_a_completed_job_stays(world):
    stub = start(world)
    world.start_worker()
    submit(world, tasks(20), "done")
    world.wait_rows(20)
    before = world.sql("SELECT * FROM jobs")
    assert "completed" in world.quern("cancel", "done").err
    assert world.sql("SELECT * FROM jobs") == before
    assert world.status("done")["state"] == "completed"
    world.quern("cancel", "nobody", code=2)
    submit(world, tasks(20, "[[stub:hang]] ", "hang"), "job")
    wait_until(lambda: stub.total() == 40)
    for _ in range(3):
        world.quern("cancel", "job", "--wait", timeout=SOON)
        assert by_status(world) == {"succeeded": 20, "cancelled": 20}
    assert world.value("SELECT count(*) FROM dead_letters") == 20
    assert [world.status(j)["state"] for j in ("done", "job")] == ["completed", "cancelled"]
    world.check_counters()


def test_cancelled_tasks_run_again_when_asked(world):
    stub = start(world, "--latency", "0.1", worker={"concurrency": 8})
    world.start_worker()
    submit(world, tasks(200))
    world.wait_rows(40)
    world.quern("cancel", "job", "--wait")
    done = by_status(world)
    assert 40 <= done["succeeded"] < 100
    assert "0 tasks" in world.quern("retry", "job", "--failed").out
    assert f"{done['cancelled']} tasks" in world.quern("retry", "job", "--cancelled", "--dry-run").out
    assert world.status("job")["state"] == "cancelled"
    world.quern("retry", "job", "--cancelled", "--wait", timeout=30)
    assert by_status(world) == {"succeeded": 200}
    assert world.status("job")["state"] == "completed"
    assert len(stub.calls()) == 200 and stub.total() <= 208 + 8
    generations = world.sql("SELECT generation, count(*) FROM results GROUP BY 1 ORDER BY 1")
    assert generations == [(0, done["succeeded"]), (1, done["cancelled"])]
    world.check_counters()
