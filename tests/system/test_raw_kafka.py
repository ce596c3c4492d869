"""Any Kafka client may write tasks; what is no task hurts nobody else."""
import json
import signal

import pytest

from helpers import request, wait_until, write_lines
from helpers_kafka import task, uuid7

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def stub(world):
    s = world.start_stub()
    world.set_up(s)
    return s


def test_an_unknown_job_is_opened(world, kafka, stub):
    world.start_worker()
    job = uuid7()
    kafka.send([task(job, f"raw-{i}", f"raw prompt {i}", tenant="acme", unknown_field=[1])
                for i in range(20)], lane="high")
    world.wait_rows(20)
    s = world.status(job)
    assert (s["id"], s["state"], s["total"], s["succeeded"]) == (job, "running", None, 20)
    assert set(world.results(job)) == {f"raw-{i}" for i in range(20)}
    assert world.sql("SELECT DISTINCT lane, tenant FROM results") == [("high", "acme")]
    wait_until(lambda: kafka.lag() == 0, what="committed offsets")


JOB = uuid7()
NO_TASKS = {
    "nothing": None,
    "empty": b"",
    "bytes": b"\xff\xfe\x00\x01",
    "text": b"hello",
    "half a document": b'{"v": 1, "job_id": "',
    "an array": b"[]",
    "an empty object": b"{}",
    "deep": b"[" * 200_000,
    "unknown version": task(JOB, "x", v=2),
    "version no number": task(JOB, "x", v="1"),
    "no job_id": task(None, "x"),
    "job_id no UUID": task("0" * 36, "x"),
    "no custom_id": task(JOB, None),
    "custom_id empty": task(JOB, ""),
    "custom_id a number": task(JOB, 5),
    "custom_id too long": task(JOB, "x" * 600),
    "generation negative": task(JOB, "x", generation=-1),
    "generation huge": task(JOB, "x", generation=2**40),
    "generation a fraction": task(JOB, "x", generation=1.5),
    "unknown url": task(JOB, "x", url="/v1/admin"),
    "url elsewhere": task(JOB, "x", url="http://169.254.169.254/"),
    "no body": task(JOB, "x", body=None),
    "body a text": task(JOB, "x", body="hello"),
    "no model": task(JOB, "x", body={"messages": []}),
    "deadline": task(JOB, "x", deadline="tomorrow"),
    "sensitive": task(JOB, "x", sensitive="yes"),
    "tenant": task(JOB, "x", tenant="t" * 300),
}


def test_what_is_no_task_becomes_a_dead_letter(world, kafka, stub):
    world.start_worker()
    records = [r if r is None or isinstance(r, bytes) else json.dumps(r).encode()
               for r in NO_TASKS.values()]
    offsets = kafka.send(records)
    good = kafka.send([task(JOB, "good")])[0]
    world.wait_rows(1)
    wait_until(lambda: kafka.committed("tasks.normal")[0] == good + 1, what="the commit")
    letters = world.sql("SELECT topic, partition, kafka_offset, record, published_at IS NOT NULL,"
                        " job_id, reason <> '', error <> '' FROM dead_letters ORDER BY kafka_offset")
    topic = kafka.topic("tasks.normal")
    assert letters == [(topic, 0, o, r or b"", True, None, True, True)
                       for o, r in zip(offsets, records)]
    assert world.sql("SELECT custom_id, status FROM results") == [("good", "succeeded")]
    assert stub.total() == 1
    dead = [json.loads(m.value()) for m in kafka.read("dead")]
    assert sorted(d["offset"] for d in dead) == offsets
    assert all("record" in d or "record_base64" in d for d in dead)


def test_dead_letters_are_not_doubled_by_redelivery(world, kafka, stub):
    worker = world.start_worker()
    kafka.send([b"garbage"] * 3 + [task(JOB, "good")])
    world.wait_rows(1)
    wait_until(lambda: world.value("SELECT count(*) FROM dead_letters") == 3)
    worker.kill()
    world.configure(stub, kafka={"group": world.group + "b", "topic_prefix": world.prefix})
    world.quern("topics", "create")
    again = world.start_worker()
    wait_until(lambda: again.events("partitions assigned"), 20)
    kafka.send([task(JOB, "after")])
    world.wait_rows(2)
    assert world.value("SELECT count(*) FROM dead_letters") == 3
    assert stub.total() == 2


@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_record_twice_is_one_call(world, kafka, at_once):
    stub = world.start_stub("--latency", "0.2")
    world.set_up(stub)
    world.start_worker()
    record = task(JOB, "twin", "Summarize: the same text.")
    kafka.send([record, record] if at_once else [record])
    world.wait_rows(1)
    end = kafka.send([record, record, record], lane="low", partition=1)[-1] + 1
    wait_until(lambda: kafka.committed("tasks.low")[1] == end, what="the commit")
    assert stub.calls() == {"Summarize: the same text.": 1}
    assert world.value("SELECT count(*) FROM attempts") == world.rows() == 1
    world.check_counters()


def test_generations(world, kafka, stub):
    """A newer one replaces an older one, never the other way; each is counted once."""
    world.start_worker()
    row = "SELECT generation, status FROM results"

    def send(generation, prompt):
        end = kafka.send([task(JOB, "g", prompt, generation=generation)])[0] + 1
        wait_until(lambda: kafka.committed("tasks.normal")[0] == end, what="the commit")

    send(1, "[[stub:400]] generation one")
    assert world.sql(row) == [(1, "failed")]
    send(0, "generation zero")
    assert world.sql(row) == [(1, "failed")]
    send(3, "generation three")
    assert world.sql(row) == [(3, "succeeded")]
    send(2, "generation two")
    assert world.sql(row) == [(3, "succeeded")]
    assert set(stub.calls()) == {"[[stub:400]] generation one", "generation three"}
    world.check_counters()


def test_offsets_follow_outcomes(world, kafka):
    """At every moment, and through three kills: what is committed has its result."""
    total = 600
    stub = world.start_stub("--latency", "0.02", "--jitter", "0.2")
    world.set_up(stub, worker={"concurrency": 10}, kafka={"instance_id": "one"})
    lines = [request(f"t-{i}", ("[[stub:400]] " if i % 50 == 7 else "") + f"text {i}")
             for i in range(total)]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "offsets")
    place = {(m.partition(), m.offset()): json.loads(m.value())["custom_id"]
             for m in kafka.read("tasks.normal")}
    checks = []

    def check():
        committed = kafka.committed("tasks.normal")
        done = {r[0] for r in world.sql("SELECT custom_id FROM results")}
        early = [i for (p, o), i in place.items() if o < committed[p] and i not in done]
        assert not early, f"committed without a result: {early}"
        checks.append(sum(o for o in committed.values()))
        return len(done)

    for target in (130, 270, 430, total):
        worker = world.start_worker()
        wait_until(lambda target=target: check() >= target, 40, f"{target} results")
        if target < total:
            worker.signal(signal.SIGKILL)
            worker.wait()
            check()
    wait_until(lambda: kafka.lag() == 0, what="all offsets committed")
    assert len(set(checks)) > 4, "offsets should move on while tasks are worked on"
    assert world.rows() == total
    world.check_counters()
