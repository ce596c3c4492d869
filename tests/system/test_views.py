"""What people look at: quern queue, cost, errors and task; and sums that equal what they sum."""
import csv
import datetime
import io
import json
import threading

import psycopg
import pytest

from helpers import MODEL, request, wait_until, write_batch, write_lines
from helpers_kafka import task, uuid7

pytestmark = pytest.mark.timeout(120)
PRICES = {"models": [{"model": MODEL, "input": 0.15, "cached_input": 0.075, "output": 0.6}]}


def table(world, *args, **kwargs):
    return json.loads(world.quern(*args, "-o", "json", **kwargs).out)


# ---- costs ----

SUMS = ("count(*)", "count(*) FILTER (WHERE attempt = 1)", "count(*) FILTER (WHERE error_type IS NOT NULL)",
        "sum(input_tokens)", "sum(cached_tokens)", "sum(output_tokens)", "coalesce(sum(cost_usd), 0)",
        "count(*) FILTER (WHERE cost_usd IS NULL)")
COLUMNS = ("calls", "tasks", "failed_calls", "input_tokens", "cached_tokens", "output_tokens", "cost_usd", "unknown")
AXES = {"day": "(started_at AT TIME ZONE 'UTC')::date", "tenant": "tenant", "user": '"user"', "feature": "feature",
        "model": "asked", "lane": "lane", "backend": "backend", "all": "'all'",
        "month": "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM')"}


def books(world, axis, where="true"):
    """The sums of the attempts themselves."""
    rows = world.sql(f"SELECT {AXES[axis]}, {', '.join(SUMS)} FROM attempts WHERE {where} GROUP BY 1")
    return {None if r[0] is None else str(r[0]): [float(x) for x in r[1:]] for r in rows}


def shown(world, axis, *args):
    return {r[axis]: [float(r[c]) for c in COLUMNS] for r in table(world, "cost", "--by", axis, *args)}


@pytest.fixture
def spent(world, kafka):
    """Tasks of several tenants, users, features, lanes and models; some fail, some are tried again."""
    stub = world.start_stub()
    world.set_up(stub, prices=PRICES, retry={"base_delay": "1ms"},
                 backends=[{"name": "stub", "base_url": stub.url, "breaker": {"failures": 0}}])
    job = uuid7()
    faults = ("", "[[stub:500:1]]", "[[stub:400]]", "[[stub:503:2]]", "", "", "", "")

    def one(lane, i):
        body = {"model": (MODEL, "unpriced")[i % 7 == 0],
                "messages": [{"role": "user", "content": f"{lane} {i} {faults[i % 8]}"}]}
        return task(job, f"{lane}-{i}", tenant=("acme", "zeta", None)[i % 3], user=f"u{i % 5}",
                    feature=("sum", None)[i % 2], body=body)

    for lane in ("high", "low"):
        kafka.send([one(lane, i) for i in range(60)], lane=lane)
    world.start_worker()
    world.wait_rows(120)
    return world


def roll_up(world):
    """All of it: a worker may be at it too."""
    wait_until(lambda: world.value("SELECT cost_roll_up()") == 1, 20, "everything rolled up")


def test_costs_are_the_sums_of_the_attempts(spent):
    """By every axis, whatever part of them is rolled up by now; again, after all of it is."""
    def check():
        for axis in AXES:
            assert shown(spent, axis) == books(spent, axis)
        bound = "started_at >= now() - interval '1 hour'"
        assert shown(spent, "tenant", "--since", "1h") == books(spent, "tenant", bound)
        assert shown(spent, "model", "--since", "2099-01-01T00:00:00Z") == {}
    check()
    roll_up(spent)
    check()
    rolled = spent.value("SELECT sum(calls) FROM cost_days")
    assert rolled == spent.value("SELECT count(*) FROM attempts")
    assert spent.value("SELECT count(*) FROM attempts") > 120
    job = spent.value("SELECT name FROM jobs")
    assert shown(spent, "tenant", "--job", job) == books(spent, "tenant")
    assert [r["job"] for r in table(spent, "cost", "--by", "job")] == [job]


def test_a_part_of_the_first_day_is_counted_call_by_call(spent):
    """--since may lie within a day that is rolled up."""
    spent.sql("UPDATE attempts SET started_at = started_at - interval '1 day' WHERE custom_id LIKE 'high-%%1' RETURNING 1")
    spent.sql("UPDATE attempts SET started_at = date_trunc('day', now(), 'UTC') WHERE custom_id = 'low-2' RETURNING 1")
    roll_up(spent)
    now = datetime.datetime.now(datetime.timezone.utc)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for since in (midnight, midnight - datetime.timedelta(microseconds=1), midnight + datetime.timedelta(seconds=1),
                  now - datetime.timedelta(hours=23), now - datetime.timedelta(days=3)):
        text = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert shown(spent, "lane", "--since", text) == books(spent, "lane", f"started_at >= '{text}'"), text


def test_sums_are_exact_while_many_write(world):
    """Rolling up by several at once, with transactions that commit late, counts nothing twice and forgets nothing."""
    world.set_up()
    job = world.value("INSERT INTO jobs (id, name) VALUES (gen_random_uuid(), 'j') RETURNING id")
    insert = ("INSERT INTO attempts (job_id, custom_id, token, generation, attempt, backend, model, input_tokens,"
              " cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, started_at, duration_ms)"
              " SELECT %s, %s, i, 0, 1, 'b', 'm' || i %% 3, 1, 0, 0, 1, 0, 0.000000000001, now(), 1 FROM generate_series(1, 20) i")
    stop, failures = threading.Event(), []

    def write(n):
        with psycopg.connect(world.url) as db:
            for i in range(40):
                db.execute(insert, (job, f"{n}-{i}"))
                stop.wait(0.002 * n)  # it commits late
                db.commit()

    def roll_up():
        with psycopg.connect(world.url, autocommit=True) as db:
            while not stop.is_set():
                db.execute("SELECT cost_roll_up()")

    def read():
        with psycopg.connect(world.url) as db:
            db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            while not stop.is_set():
                a = db.execute("SELECT coalesce(sum(calls), 0), coalesce(sum(cost_usd), 0) FROM costs").fetchone()
                b = db.execute("SELECT count(*), coalesce(sum(cost_usd), 0) FROM attempts").fetchone()
                if a != b:
                    failures.append((a, b))
                db.commit()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    others = [threading.Thread(target=f) for f in (roll_up, roll_up, read)]
    for t in writers + others:
        t.start()
    for t in writers:
        t.join()
    stop.set()
    for t in others:
        t.join()
    assert not failures
    while world.value("SELECT cost_roll_up()") != 1:
        pass
    assert world.sql("SELECT sum(calls), sum(cost_usd) FROM cost_days") == world.sql("SELECT count(*), sum(cost_usd) FROM attempts")
    assert world.value("SELECT count(*) FROM attempts") == 4 * 40 * 20


def test_sums_go_on_in_another_cluster(spent):
    """After a dump is restored elsewhere, transaction ids begin anew, and the cluster is another."""
    roll_up(spent)
    before = shown(spent, "all")
    spent.sql("UPDATE cost_rolled SET tx = tx + 1000000000, cluster = 1 RETURNING 1")
    spent.sql("UPDATE attempts SET tx = tx + 1000000000 - 5 RETURNING 1")  # as they were written there
    spent.processes[-1].stop()
    spent.start_worker()  # it finds another cluster when it connects
    spent.quern("submit", write_batch(spent.path / "more.jsonl", 5), "--job", "more", "--wait")
    assert shown(spent, "all") == books(spent, "all") != before
    roll_up(spent)
    assert shown(spent, "all") == books(spent, "all")
    assert spent.value("SELECT sum(calls) FROM cost_days") == spent.value("SELECT count(*) FROM attempts")


# ---- errors ----

def test_errors_tell_whom_they_hurt_and_the_latest_case(world):
    world.set_up(world.start_stub(), retry={"attempts": 1, "base_delay": "1ms"},
                 backends=[{"name": "stub", "base_url": world.processes[0].url, "breaker": {"failures": 0}}])
    rows = [request(f"ok-{i}", f"Text {i}") for i in range(5)]
    rows += [request(f"again-{i}", f"[[stub:503:1]] {i}") for i in range(3)]
    rows += [request(f"bad-{i}", f"[[stub:400]] {i}") for i in range(2)]
    world.quern("submit", write_lines(world.path / "a.jsonl", rows), "--job", "a", "--user", "ann", "--tenant", "acme")
    world.quern("submit", write_lines(world.path / "b.jsonl", [request("bad-9", "[[stub:400]] 9")]),
                "--job", "b", "--user", "bob")
    late = write_lines(world.path / "c.jsonl", [request("late", "Text")])
    world.quern("submit", late, "--job", "c", "--deadline", "2020-01-01T00:00:00Z", code=None)
    world.start_worker()
    world.wait_rows(11)
    by = {r["type"]: r for r in table(world, "errors")}
    invalid = by["invalid_request"]
    assert (invalid["failed_calls"], invalid["tasks"], invalid["lost_tasks"], invalid["users"]) == (3, 3, 3, 2)
    assert invalid["last_job"] in ("a", "b") and invalid["last_error"] and invalid["last_http_status"] == 400
    others = [r for kind, r in by.items() if kind != "invalid_request" and r["failed_calls"]]
    assert [(r["failed_calls"], r["tasks"], r["lost_tasks"], r["users"]) for r in others] == [(3, 3, 0, 1)]
    assert {r["job"]: r["lost_tasks"] for r in table(world, "errors", "--by", "job", "--since", "1h") if r["job"] != "c"} == {"a": 2, "b": 1}
    text = world.quern("errors", "--job", "a").out
    assert "latest of invalid_request" in text and "quern task a bad-" in text
    assert table(world, "errors", "--since", "2099-01-01T00:00:00Z") == []
    assert "--by" in world.quern("errors", "--by", "nonsense", code=2).err


def test_a_task_without_a_call_is_an_error_too(world):
    world.set_up(world.start_stub(), models=[{"name": "only", "candidates": [{"backend": "stub"}]}])
    world.quern("submit", write_batch(world.path / "in.jsonl", 2), "--job", "j", code=None)
    world.start_worker()
    if world.value("SELECT count(*) FROM jobs"):
        world.wait_rows(2)
        row = table(world, "errors")[0]
        assert (row["type"], row["failed_calls"], row["lost_tasks"]) == ("model_not_found", 0, 2)


# ---- one task ----

def test_the_story_of_a_task(world):
    stub = world.start_stub()
    world.set_up(stub, prices=PRICES, retry={"attempts": 1, "base_delay": "1ms"}, backends=[
        {"name": "bad", "base_url": "http://127.0.0.1:9/v1", "breaker": {"failures": 0}},
        {"name": "good", "base_url": stub.url}],
        models=[{"name": "*", "candidates": [{"backend": "bad"}, {"backend": "good"}]}])
    world.quern("submit", write_lines(world.path / "in.jsonl", [request("t", "Hello \u001b[31m there")]), "--job", "j", "--tenant", "acme")
    assert "nothing is known" in world.quern("task", "j", "t", code=1).err
    world.start_worker()
    world.wait_rows(1)
    text = world.quern("task", "j", "t", "--response").out
    assert "succeeded" in text and "acme" in text and "good" in text and "bad" in text and "\x1b" not in text
    story = table(world, "task", "j", "t")
    assert [a["backend"] for a in story["attempts"]][-1] == "good" and len(story["attempts"]) >= 2
    assert story["attempts"][-1]["outcome"] == "success" and float(story["attempts"][-1]["cost_usd"]) > 0
    assert story["errors"][0]["error"] and story["result"][0]["response"] is None
    assert "nothing is known" in world.quern("task", "j", "nobody", code=1).err
    assert "no job" in world.quern("task", "nothing", "t", code=2).err


def test_the_story_of_a_task_that_waits_and_fails(world):
    world.set_up(world.start_stub(), retry={"attempts": 0, "rounds": 1},
                 backends=[{"name": "stub", "base_url": world.processes[0].url, "breaker": {"failures": 0}}])
    world.quern("submit", write_lines(world.path / "in.jsonl", [request("t", "[[stub:503]]")]), "--job", "j")
    world.start_worker()
    wait_until(lambda: world.value("SELECT count(*) FROM parked"), 20, "a parked task")
    story = table(world, "task", "j", "t")
    assert story["result"] == [] and story["parked"][0]["due"] and len(story["attempts"]) == 1
    world.wait_rows(1)
    story = table(world, "task", "j", "t")
    assert story["result"][0]["status"] == "failed" and story["dead_letters"][0]["reason"]
    assert len(story["attempts"]) == 2


# ---- the queue ----

def test_the_queue_right_now(world):
    world.set_up(world.start_stub("--latency", "0.3"), worker={"concurrency": 4})
    assert [(r["lane"], r["backlog"]) for r in table(world, "queue")] == [("high", 0), ("normal", 0), ("low", 0)]
    assert "no worker" in world.quern("queue").out
    world.quern("submit", write_batch(world.path / "in.jsonl", 60), "--job", "j", "-p", "low")
    workers = [world.start_worker(), world.start_worker()]
    def lane(name="low"):
        return next(r for r in table(world, "queue") if r["lane"] == name)
    wait_until(lambda: lane()["call_p50_s"] is not None, 30, "call times")
    busy = lane()
    assert busy["backlog"] + world.rows() >= 60 - 8 and float(busy["oldest_s"]) > 0
    assert 0.25 < float(busy["call_p50_s"]) < 0.7 and float(busy["call_p99_s"]) >= float(busy["call_p50_s"])
    world.wait_rows(60)
    wait_until(lambda: lane()["backlog"] == 0, 15, "no backlog")
    wait_until(lambda: float(lane()["done_per_s"]) > 0 and lane()["in_workers"] == 0, 15, "the rate")
    assert float(lane()["queue_p99_s"]) > float(lane()["queue_p50_s"]) > 0
    rows = list(csv.DictReader(io.StringIO(world.quern("queue", "--workers", "-o", "csv").out)))
    assert {int(r["pid"]) for r in rows} == {w.popen.pid for w in workers}
    assert sum(int(r["finished"]) for r in rows) == 60 and all(r["version"] for r in rows)
    watching = world.start_quern("queue", "--watch")
    wait_until(lambda: watching.text().count("backlog") >= 2, 10, "two looks")
    assert watching.stop() == 0
    assert workers[0].stop() == 0
    wait_until(lambda: len(table(world, "queue", "--workers")) == 1, 30, "one worker")


def test_parked_tasks_of_other_clients_hide_no_backlog(world):
    world.set_up()
    world.sql("INSERT INTO jobs (id, name, digest, lane, published) VALUES (gen_random_uuid(), 'ours', 'd', 'normal', 10),"
              " (gen_random_uuid(), 'raw', NULL, NULL, 0) RETURNING 1")
    world.sql("INSERT INTO parked (job_id, custom_id, generation, seq, lane, rounds, attempts, due_at, first_seen, reason, error, record)"
              " SELECT id, i::text, 0, 1, 'normal', 0, 0, now() + interval '1 h', now(), 'r', 'e', 'x' FROM jobs, generate_series(1, 25) i"
              " WHERE name = 'raw' RETURNING 1")
    assert world.sql("SELECT lane, tasks, parked FROM backlog()")[1] == ("normal", 10, 25)
    world.sql("UPDATE parked SET job_id = (SELECT id FROM jobs WHERE name = 'ours') WHERE custom_id::int <= 4 RETURNING 1")
    assert world.sql("SELECT lane, tasks, parked FROM backlog()")[1] == ("normal", 6, 25)


def test_a_job_that_is_submitted_further_is_not_done(world):
    """Cancelled while it was submitted, taken up again, and submitted to its end."""
    world.set_up()
    world.sql("INSERT INTO jobs (id, name, digest, lane, published, total, cancelled_at, cancelled_generation)"
              " VALUES (gen_random_uuid(), 'j', 'd', 'low', 0, 10, now(), 0) RETURNING 1")
    world.sql("SELECT jobs_finish()")
    assert world.value("SELECT finished_at FROM jobs")
    world.sql("UPDATE jobs SET finished_at = NULL, generation = 1 RETURNING 1")  # as a retry does
    world.sql("SELECT jobs_finish()")
    assert world.value("SELECT finished_at FROM jobs") is None


def test_a_replay_opens_its_job_again(world):
    """A job that is done is no backlog; tasks that are queued again are."""
    world.set_up(world.start_stub())
    world.quern("submit", write_lines(world.path / "in.jsonl", [request("t", "[[stub:400:1]]")]), "--job", "j")
    worker = world.start_worker()
    wait_until(lambda: world.value("SELECT finished_at FROM jobs"), 20, "the end")
    assert worker.stop() == 0
    world.quern("retry", "j", "--failed")
    assert world.value("SELECT finished_at FROM jobs") is None
    assert table(world, "queue")[1]["backlog"] == 1
    world.start_worker()
    wait_until(lambda: world.value("SELECT finished_at FROM jobs"), 20, "the end")
    assert world.status("j")["succeeded"] == 1
