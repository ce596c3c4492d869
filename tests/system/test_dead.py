"""quern dead and quern retry: dead letters are found, run again once, and kept as history."""
import base64
import csv
import io
import json
import signal
import time

import pytest

from helpers import request, wait_until, write_lines
from helpers_kafka import task, uuid7

pytestmark = pytest.mark.timeout(60)
UNPUBLISHED = "SELECT count(*) FROM dead_letters WHERE published_at IS NULL"


def submit(world, lines, job="job", *args, code=3):
    path = write_lines(world.path / f"{job}.jsonl", lines)
    world.quern("submit", path, "--job", job, "--wait", *args, code=code)


def failing(n, marker="400", prefix="bad"):
    return [request(f"{prefix}-{i}", f"[[stub:{marker}]] Summarize: text {i}.") for i in range(n)]


def start(world, **changes):
    stub = world.start_stub()
    changes.setdefault("retry", {"attempts": 0})
    world.set_up(backends=[{"name": "stub", "base_url": stub.url, "breaker": {"failures": 0}}], **changes)
    world.start_worker()
    return stub


def letters(world, *args):
    return [json.loads(x) for x in world.quern("dead", "list", "-o", "jsonl", *args).out.splitlines()]


def ids(world, *args):
    return sorted(x["custom_id"] for x in letters(world, *args))


def test_list_finds_letters_by_everything(world):
    start(world)
    submit(world, failing(2, "400", "a") + failing(3, "500", "b"), "one", "--tenant", "acme")
    middle = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    time.sleep(2.1)
    submit(world, failing(4, "401", "c"), "two", "--deadline", "1h")
    submit(world, failing(1, "400", "late"), "three", "--deadline", "2020-01-01T00:00:00Z")
    a, b, c = ["a-0", "a-1"], ["b-0", "b-1", "b-2"], ["c-0", "c-1", "c-2", "c-3"]
    assert ids(world) == [*a, *b, *c, "late-0"]
    assert ids(world, "--job", "one") == [*a, *b]
    assert ids(world, "--reason", "api_error") == b
    assert ids(world, "--status", "expired") == ["late-0"]
    assert ids(world, "--status", "failed", "--tenant", "acme") == [*a, *b]
    assert ids(world, "--error", "HTTP 40[01].*FAIL") == [*a, *c]
    assert ids(world, "--since", middle) == [*c, "late-0"]
    assert ids(world, "--until", middle) == [*a, *b] == ids(world, "--until", "1s", "--tenant", "acme")
    assert ids(world, "--since", "1h", "--reason", "auth", "--job", "two") == c
    assert ids(world, "--job", "two", "--tenant", "acme") == []
    newest = letters(world, "--limit", "2")
    assert [x["custom_id"] for x in newest] == ["late-0", newest[1]["custom_id"]] and len(newest) == 2
    one = letters(world, "--reason", "invalid_request")[0]["id"]
    assert len(letters(world, str(one))) == 1
    for words in (("--status", "succeeded"), ("--since", "x"), ("--job", "nobody"), ("12x",)):
        world.quern("dead", "list", *words, code=2)
    world.quern("dead", code=2)
    table = world.quern("dead", "list", "--job", "one").out
    rows = list(csv.DictReader(io.StringIO(world.quern("dead", "list", "-j", "one", "-o", "csv").out)))
    whole = json.loads(world.quern("dead", "list", "-j", "one", "-o", "json").out)
    assert "a-0" in table and len(rows) == len(whole) == 5
    assert {x["reason"] for x in rows} == {x["reason"] for x in whole} == {"api_error", "invalid_request"}


def test_a_bad_pattern_is_a_usage_error(world):
    start(world)
    assert "--error" in world.quern("dead", "list", "--error", "(", code=2).err


def test_replay_turns_the_counts_back_and_keeps_the_history(world, kafka):
    stub = start(world)
    submit(world, failing(5, "500:1") + [request("ok", "Summarize: a good text.")])
    assert "5 tasks would" in world.quern("dead", "replay", "--dry-run").out
    err = world.quern("dead", "replay", "--job", "job", code=2).err
    assert "--yes" in err and kafka.sent() == 6 and stub.total() == 6
    world.processes[-1].stop()  # the worker: so that what is in between can be seen
    assert "5 tasks are queued" in world.quern("dead", "replay", "--job", "job", "--yes").out
    assert "0 tasks" in world.quern("dead", "replay", "--job", "job", "--yes").out
    assert kafka.sent() == 11
    s = world.status("job")
    assert (s["state"], s["succeeded"], s["failed"], s["total"]) == ("running", 1, 0, 6)
    world.start_worker()
    wait_until(lambda: world.status("job")["state"] == "completed", 15)
    s = world.status("job")
    assert (s["succeeded"], s["failed"], s["attempts"]) == (6, 0, 11)
    assert world.sql("SELECT generation, count(*) FROM results GROUP BY 1 ORDER BY 1") == [(0, 1), (1, 5)]
    assert world.sql("SELECT generation, error_type, count(*) FROM attempts GROUP BY 1, 2 ORDER BY 1, 2") == [
        (0, "api_error", 5), (0, None, 1), (1, None, 5)]
    assert letters(world) == [] and len(letters(world, "--all")) == 5
    assert world.value("SELECT count(*) FROM dead_letters WHERE replayed_at IS NOT NULL"
                       " AND replay_generation = 1 AND generation = 0") == 5
    shown = world.quern("dead", "show", letters(world, "--all")[0]["id"]).out
    head, record = shown.split("\nrecord:\n")
    head = json.loads(head)
    assert [(a["generation"], a["error_type"]) for a in head["attempts"]] == [(0, "api_error"), (1, None)]
    assert head["replayed_at"] and json.loads(record)["custom_id"] == head["custom_id"]
    world.check_counters()


def test_chosen_letters_run_again_and_fail_again(world):
    start(world)
    submit(world, failing(6))
    some = [str(x["id"]) for x in letters(world)][:2]
    world.quern("dead", "replay", *some, "--yes")
    wait_until(lambda: world.status("job")["state"] == "completed")
    assert world.sql("SELECT generation, count(*) FROM results GROUP BY 1 ORDER BY 1") == [(0, 4), (1, 2)]
    wait_until(lambda: world.value(UNPUBLISHED) == 0)
    assert len(letters(world)) == 6 and len(letters(world, "--all")) == 8
    assert "0 tasks" in world.quern("dead", "replay", *some, "--yes").out
    world.check_counters()


def test_a_replay_leaves_alone_what_fails_again_meanwhile(world, kafka):
    start(world, worker={"concurrency": 256})
    submit(world, failing(1200))
    replay = world.start_quern("dead", "replay", "--job", "job", "--yes")
    wait_until(lambda: kafka.sent() > 1200, every=0)
    replay.signal(signal.SIGSTOP)  # a slow one
    wait_until(lambda: world.value("SELECT count(*) FROM dead_letters WHERE generation = 1") >= 500)
    replay.signal(signal.SIGCONT)
    assert replay.wait() == 0
    assert kafka.sent() == 2400
    assert world.value("SELECT max(replay_generation) FROM dead_letters") == 1


def test_retry_waits_for_the_job(world):
    stub = start(world)
    submit(world, failing(5, "500:2") + [request("ok", "Summarize: a good text.")])
    assert "5 tasks" in world.quern("retry", "job", "--dry-run").out
    assert stub.total() == 6
    world.quern("retry", "job", "--failed", "--wait", code=3)
    assert "5 tasks" in world.quern("retry", "job", "--failed", "--wait").out
    assert world.sql("SELECT status, count(*), max(generation) FROM results GROUP BY 1") == [
        ("succeeded", 6, 2)]
    assert stub.total() == 16 and "0 tasks" in world.quern("retry", "job").out
    world.check_counters()


def test_an_unreadable_record_is_kept_whole(world, kafka):
    start(world)
    garbage = [b"\xff\xfe\x00 garbage", b'{"v": 99, "custom_id": "x"}']
    offset = kafka.send(garbage, lane="high", partition=1)[0]
    wait_until(lambda: len(letters(world)) == 2 and world.value(UNPUBLISHED) == 0)
    row, = world.sql("SELECT id, topic, partition, kafka_offset, record, reason, error"
                     " FROM dead_letters ORDER BY id LIMIT 1")
    assert row[1:5] == (kafka.topic("tasks.high"), 1, offset, garbage[0]) and row[5] and row[6]
    shown = world.quern("dead", "show", row[0]).out
    assert "\\377\\376\\000 garbage" in shown and row[1] in shown and row[5] in shown
    published = sorted((json.loads(m.value()) for m in kafka.read("dead")), key=lambda x: x["offset"])
    assert base64.b64decode(published[0]["record_base64"]) == garbage[0]
    assert (published[0]["topic"], published[0]["partition"], published[0]["offset"]) == row[1:4]
    assert published[1]["record"] == json.loads(garbage[1])
    assert "0 tasks" in world.quern("dead", "replay", str(row[0]), "--yes").out
    assert kafka.sent() == 2
    assert "1 dead letters are deleted" in world.quern("dead", "purge", str(row[0]), "--yes").out
    assert len(letters(world)) == 1
    world.quern("dead", "show", row[0], code=2)


def test_a_hostile_record_cannot_speak_to_the_terminal(world, kafka):
    start(world)
    kafka.send([b"\x1b]0;owned\x07 \x1b[2J garbage"])
    wait_until(lambda: len(letters(world)) == 1)
    assert "\x1b" not in world.quern("dead", "show", letters(world)[0]["id"]).out


def test_purge_asks_and_leaves_the_results(world):
    start(world)
    submit(world, failing(3, "400") + failing(2, "500", "other"))
    wait_until(lambda: world.value(UNPUBLISHED) == 0)
    assert "3 dead letters would" in world.quern("dead", "purge", "--reason", "invalid_request", "--dry-run").out
    world.quern("dead", "purge", code=2)
    assert len(letters(world)) == 5
    world.quern("dead", "purge", "--reason", "invalid_request", "--yes")
    assert ids(world) == ["other-0", "other-1"]
    assert world.status("job")["failed"] == 5 and len(world.results("job")) == 5
    assert "2 tasks" in world.quern("retry", "job", "--dry-run").out


def test_a_killed_replay_is_run_again(world, kafka):
    """Killed when records are sent and not yet noted: they are sent twice, and run once."""
    stub = start(world, worker={"concurrency": 64})
    submit(world, failing(1200, "400:1"))
    world.processes[-1].stop()
    with world.servers.connect(world.database) as db, db.transaction():
        db.execute("LOCK TABLE job_counters IN EXCLUSIVE MODE")  # it cannot note what it has sent
        replay = world.start_quern("dead", "replay", "--job", "job", "--yes")
        wait_until(lambda: kafka.sent() == 1700)
        replay.kill()
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE datname = current_database() AND application_name = 'quern'")
    assert "1200 tasks" in world.quern("dead", "replay", "--job", "job", "--yes").out
    assert kafka.sent() == 2900
    world.start_worker()
    wait_until(lambda: world.status("job")["state"] == "completed", 20)
    assert world.sql("SELECT status, generation, count(*) FROM results GROUP BY 1, 2") == [
        ("succeeded", 1, 1200)]
    wait_until(lambda: kafka.lag() == 0, 10, "committed offsets")
    assert set(stub.calls().values()) == {2}
    assert letters(world) == [] and len(letters(world, "--all", "-n", "2000")) == 1200
    world.check_counters()


def test_a_replayed_record_keeps_fields_that_nobody_knows(world, kafka):
    start(world)
    job, extra = uuid7(), {"sensitive": False, "x": 1, "nested": {"a": [1, "ä\\u0041"], "big": 9007199254740993}}
    sent = task(job, "t", "[[stub:400:1]] text", tenant="acme", generation=0, **extra)
    kafka.send([sent], lane="low")
    wait_until(lambda: len(letters(world)) == 1)
    world.quern("dead", "replay", "--tenant", "acme", "--yes")
    wait_until(lambda: world.value("SELECT count(*) FROM results WHERE status = 'succeeded'") == 1)
    first, second = (json.loads(m.value()) for m in sorted(kafka.read("tasks.low"), key=lambda m: m.timestamp()[1]))
    assert second == {**first, "generation": 1} == {**sent, "generation": 1}
