"""Retry topics: long waits leave the memory, are never early, and lose nothing."""
import json
import time

import pytest

from helpers import request, wait_until, write_lines
from helpers_kafka import Client

pytestmark = [pytest.mark.timeout(60), pytest.mark.waits]
RETRY_AFTER = 5  # longer than retry_after_max below, so the task is parked: in the 10 s topic
PARKED = "SELECT count(*) FROM parked"
SUCCEEDED = "SELECT count(*) FROM results WHERE status = 'succeeded'"


def submit(world, lines, job="parking"):
    world.quern("submit", write_lines(world.path / f"{job}.jsonl", lines), "--job", job)


def parking(n, fault="429:1"):
    return [request(f"p-{i}", f"[[stub:{fault}]] Summarize: text {i} that waits.") for i in range(n)]


def start(world, *stub_args, retry=None, breaker=0, **changes):
    stub = world.start_stub("--retry-after", RETRY_AFTER, *stub_args)
    backend = {"name": "stub", "base_url": stub.url, "breaker": {"failures": breaker}}
    world.set_up(stub, backends=[{**backend, **changes.pop("backend", {})}],
                 retry={"retry_after_max": "1s", **(retry or {})}, **changes)
    return stub


def headers(message):
    return {k: v.decode() for k, v in message.headers()}


def wait_parked(world, count, timeout=15):
    wait_until(lambda: world.value(PARKED + " WHERE published_at IS NOT NULL") == count,
               timeout, f"{count} parked tasks")


def check_never_early(world, kafka, copies=None):
    """Every call of a parked copy began after its due time; every attempt is numbered."""
    due = {}
    for m in kafka.read("retry.10s"):
        h = headers(m)
        due[m.key().decode().split("/")[1], int(h["quern-attempt"])] = int(h["quern-due"])
    assert due and (copies is None or len(due) == copies)
    calls = {(c, a): s for c, a, s in world.sql(
        "SELECT custom_id, attempt, (extract(epoch FROM started_at) * 1000)::bigint FROM attempts")}
    for (custom_id, attempts), ms in due.items():
        assert calls[custom_id, attempts + 1] >= ms, f"{custom_id} was called early"


def check_books(world, stub, cost):
    """Each call of the stub is booked; results carry the sums; nothing is left parked."""
    assert world.value("SELECT count(*) FROM attempts") == stub.total()
    differ = world.sql(
        "SELECT r.*, a.* FROM results r JOIN LATERAL (SELECT count(*) AS n, max(attempt) AS last,"
        f" sum(input_tokens + output_tokens) AS tokens, {cost} AS usd,"
        " count(DISTINCT attempt) AS numbers FROM attempts a WHERE a.job_id = r.job_id"
        " AND a.custom_id = r.custom_id) a ON true"
        " WHERE (r.attempts, r.tokens, r.cost_usd, a.last, a.numbers)"
        " IS DISTINCT FROM (a.n, a.tokens, a.usd, a.n, a.n)")
    assert differ == []
    assert world.value(PARKED) == 0
    world.check_counters()


@pytest.fixture(scope="module")
def run(shared):
    """One run of tasks that park for different reasons; what was seen while they were parked."""
    stub = start(shared, retry={"rounds": 1, "attempts": 1},
                 backend={"timeout": {"total": "60s"}}, worker={"head_timeout": "2s"})
    client = Client(shared)
    submit(shared, [request("stuck", "[[stub:hang:1]] Summarize: a text that hangs."),
                    request("long", "[[stub:429:1]] Summarize: a text that waits."),
                    request("good", "[[stub:500:3]] Summarize: a text that works later."),
                    request("bad", "[[stub:500]] Summarize: a text that never works."),
                    *(request(f"ok-{i}", f"Summarize: good text {i}.") for i in range(50))])
    worker = shared.start_worker()
    wait_until(lambda: shared.value(SUCCEEDED) == 50)
    seen = {"stub": stub, "kafka": client, "worker": worker, "before": client.committed("tasks.normal").values()}
    wait_parked(shared, 4)
    wait_until(lambda: client.lag() == 0, 8, "the offset passes the head")
    seen["status"] = shared.status("parking")
    seen["rows"] = {r[0]: r[1:] for r in shared.sql(
        "SELECT custom_id, seq, attempts, rounds, lane, reason, extract(epoch FROM due_at - parked_at)"
        " FROM parked")}
    seen["time"] = time.time() * 1000
    shared.wait_rows(54, 25)
    yield seen
    client.close()


def test_parked_tasks_have_a_row(run):
    rows = run["rows"]
    assert {k: r[:5] for k, r in rows.items()} == {
        "stuck": (1, 1, 0, "normal", "stuck"), "long": (1, 1, 0, "normal", "rate_limit"),
        "good": (1, 2, 1, "normal", "api_error"), "bad": (1, 2, 1, "normal", "api_error")}
    assert all(9.5 <= r[5] <= 10.5 for r in rows.values())
    assert run["status"]["state"] == "running" and run["status"]["parked"] == 4


def test_the_journey_is_in_the_headers(run):
    messages = {json.loads(m.value())["custom_id"]: m for m in run["kafka"].read("retry.10s")}
    assert messages.keys() == {"stuck", "long", "good", "bad"}
    for custom_id, m in messages.items():
        h = headers(m)
        seq, attempts = run["rows"][custom_id][:2]
        assert (h["quern-attempt"], h["quern-seq"], h["quern-lane"]) == (str(attempts), str(seq), "normal")
        assert run["time"] - 20_000 < int(h["quern-first-seen"]) < int(h["quern-due"]) < run["time"] + 10_000
        assert m.key().decode().endswith("/" + custom_id)
    assert "429" in headers(messages["long"])["quern-error"]
    assert "oldest" in headers(messages["stuck"])["quern-error"]


def test_a_parked_task_is_never_called_early(shared, run):
    check_never_early(shared, run["kafka"], copies=4)


def test_a_long_retry_after_waits_in_a_retry_topic(shared, run):
    assert shared.sql("SELECT attempt, error_type FROM attempts WHERE custom_id = 'long'"
                      " ORDER BY 1") == [(1, "rate_limit"), (2, None)]


def test_a_round_is_a_second_chance(shared, run):
    assert shared.sql("SELECT custom_id, status, attempts, generation FROM results"
                      " WHERE custom_id IN ('good', 'bad') ORDER BY 1") == [
        ("bad", "failed", 4, 0), ("good", "succeeded", 4, 0)]
    assert shared.sql("SELECT custom_id, reason, attempts FROM dead_letters") == [("bad", "api_error", 4)]
    wait_until(lambda: run["kafka"].count("dead") == 1, 5)


def test_a_stuck_head_moves_away(shared, run):
    assert min(run["before"]) == 0, "the head is open, and what is behind it is not committed"
    event, = run["worker"].events("a task holds up its partition; it moves to a retry topic")
    assert event["custom_id"] == "stuck"
    assert shared.sql("SELECT attempt, error_type FROM attempts WHERE custom_id = 'stuck'"
                      " ORDER BY attempt") == [(1, "stuck"), (2, None)]


def test_the_books_are_right_over_all_copies(shared, run):
    """Nobody knows whether the call that was aborted was billed: then the sum is not known either."""
    check_books(shared, run["stub"], "CASE WHEN count(*) = count(cost_usd) THEN sum(cost_usd) END")
    assert shared.status("parking")["state"] == "completed"


def test_a_parked_task_expires_at_its_deadline(world, kafka):
    stub = start(world)
    world.start_worker()
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    path = write_lines(world.path / "in.jsonl", parking(1))
    world.quern("submit", path, "--job", "late", "--deadline", soon)
    wait_parked(world, 1)
    world.wait_rows(1, 10)
    assert world.sql("SELECT status, error_type, attempts FROM results") == [
        ("expired", "expired", 1)]
    assert stub.total() == 1 and world.value(PARKED) == 0
    assert world.value("SELECT finished_at BETWEEN %s::timestamptz AND %s::timestamptz"
                       " + interval '3s' FROM results", soon, soon)
    wait_until(lambda: kafka.count("dead") == 1)
    world.check_counters()


def test_a_result_tells_when_its_first_attempt_began(world):
    start(world)
    world.start_worker()
    path = write_lines(world.path / "in.jsonl", parking(1))
    world.quern("submit", path, "--job", "late", "--deadline", "2s")
    world.wait_rows(1, 10)
    assert world.value("SELECT r.started_at = a.started_at FROM results r JOIN attempts a"
                       " USING (job_id, custom_id) WHERE a.attempt = 1")


def test_a_row_that_somebody_changes_is_found(world):
    """`quern cancel` and publications change parked rows: whoever writes the result waits for them, and removes the row."""
    stub = start(world)
    world.start_worker()
    submit(world, parking(1))
    wait_parked(world, 1)
    with world.servers.connect(world.database) as other, other.transaction():
        other.execute("UPDATE parked SET published_at = now()")
        wait_until(lambda: stub.total() == 2, 20, "the second call")
        time.sleep(1)
    world.wait_rows(1)
    wait_until(lambda: world.value(PARKED) == 0, 5, "no parked row")


def test_a_row_that_a_result_overlooked_goes_with_its_copy(world):
    """... though somebody changes it at that moment."""
    start(world)
    world.start_worker()
    submit(world, parking(1))
    wait_parked(world, 1)
    world.sql("INSERT INTO results (job_id, custom_id, generation, status, lane, model, attempts, finished_at, tokens,"
              " input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at) SELECT job_id, custom_id, 0, 'succeeded',"
              " 'normal', 'm', 1, now(), 0, 0, 0, 0, 0, now() FROM parked RETURNING 1")
    with world.servers.connect(world.database) as other, other.transaction():
        other.execute("UPDATE parked SET published_at = now()")
        wait_until(lambda: world.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                       " AND datname = current_database()") == 1, 20, "the look-up waits")
    wait_until(lambda: world.value(PARKED) == 0, 5, "no parked row")


def lost_calls(world, stub):
    """The tasks that were called more often than their books tell: the worker died in between."""
    booked = dict(world.sql("SELECT custom_id, count(*) FROM attempts GROUP BY 1"))
    called = {"p-" + prompt.split()[-3]: n for prompt, n in stub.calls().items()}
    return {k for k, n in called.items() if n > booked.get(k, 0)}


def test_crashes_while_parking_lose_and_repeat_nothing(world, kafka):
    """Three deaths before the first task is due: in between row and copy, behind the copy, and
    when all are parked. A task whose first call is lost with the worker succeeds at its second."""
    stub = start(world, "--latency", "0.1", worker={"concurrency": 4, "settle_rows": 1},
                 kafka={"instance_id": "w"})  # so the next one takes over at once
    submit(world, parking(60))
    for point in ("after-write=kill@3", "after-publish=kill@6"):
        worker = world.start_worker(QUERN_FAILPOINTS=point)
        wait_until(lambda: not worker.running(), 10, "the crash")
        assert world.value("SELECT count(*) FROM attempts") < 60, "it died too late"
    time.sleep(0.2)
    lost = lost_calls(world, stub)
    assert len(lost) <= 3 * 4
    worker = world.start_worker()
    wait_until(lambda: world.rows() == len(lost) and world.value(PARKED) == 60 - len(lost), 8)
    wait_until(lambda: kafka.lag() == 0, 5, "committed offsets")
    worker.kill()
    calls = {"p-" + prompt.split()[-3]: n for prompt, n in stub.calls().items()}
    assert {k for k, n in calls.items() if n > 1} == lost, "a call that was written down was made again"
    world.start_worker()
    wait_until(lambda: world.value(SUCCEEDED) == 60, 25)
    calls = {"p-" + prompt.split()[-3]: n for prompt, n in stub.calls().items()}
    assert {k for k, n in calls.items() if n != 2} <= lost
    assert world.value("SELECT count(*) FROM dead_letters") == world.value(PARKED) == 0
    world.check_counters()
    check_never_early(world, kafka, copies=60 - len(lost))


def test_failing_tasks_leave_room_for_good_ones(world):
    stub = start(world, retry={"waiting_tasks": 20, "base_delay": "2s", "attempts": 3},
                 worker={"concurrency": 8, "queue_tasks": 100})
    lines = parking(300, "500") + [request(f"ok-{i}", f"Summarize: good text {i}.") for i in range(100)]
    submit(world, lines)
    begun = time.monotonic()
    world.start_worker()
    wait_until(lambda: world.value(SUCCEEDED) == 100, 15, "100 good tasks")
    assert time.monotonic() - begun < 8
    assert 200 <= world.value(PARKED) <= 280
    assert stub.total() <= 100 + 300 * 2
    assert world.value("SELECT max(attempts) FROM results") == 1


def test_a_row_goes_with_the_second_result_too(world):
    """Whoever writes the first result may overlook a row that is changed at that moment; the next one does not."""
    stub = start(world, "--latency", "2")
    world.start_worker()
    submit(world, [request("x", "a prompt")], "job")
    wait_until(stub.total, what="the call")
    world.db.execute("INSERT INTO results (job_id, custom_id, status, lane, model, attempts, tokens, input_tokens, cached_tokens,"
                     " output_tokens, reasoning_tokens, finished_at) SELECT id, 'x', 'succeeded', 'normal', 'm', 1, 0, 0, 0, 0, 0, now() FROM jobs")
    world.db.execute("INSERT INTO parked (job_id, custom_id, generation, seq, lane, rounds, attempts, due_at, first_seen, reason,"
                     " error, record) SELECT id, custom_id, g, 2, 'normal', 0, 1, now(), now(), 'r', 'e', '' FROM jobs,"
                     " (VALUES ('x', 0)) v(custom_id, g)")
    wait_until(lambda: world.value("SELECT count(*) FROM attempts") == 1, 10, "the second result")
    assert world.value("SELECT count(*) FROM parked") == 0
