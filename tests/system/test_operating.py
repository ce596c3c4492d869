"""Schema, topics, servers that are not there, and the help."""
import json
import socket
import subprocess
import time

import pytest

from helpers import BIN, environment, wait_until, write_batch

pytestmark = pytest.mark.timeout(60)
VERBS = ("submit", "status", "results", "jobs", "topics", "migrate", "config", "route")


def test_migrate_up_down_up(world):
    world.configure()
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'results'"
    functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    assert "pending" in world.quern("migrate", "status").out
    assert "quern migrate up" in world.quern("jobs", code=1).err
    for _ in range(2):
        world.quern("migrate", "up")
        assert "pending" not in world.quern("migrate", "status").out
        assert world.value(tables) == 1
        world.quern("migrate", "up")
        world.quern("jobs")
        while "applied" in world.quern("migrate", "status").out:
            world.quern("migrate", "down")
        assert world.value(tables) == 0 and world.value(functions) == 0
        assert world.quern("migrate", "down").err.strip() == "nothing to revert"


def test_migrations_at_the_same_time(world):
    world.configure()
    several = [world.start_quern("migrate", "up") for _ in range(4)]
    assert [p.wait() for p in several] == [0] * 4
    assert world.value("SELECT count(*) FROM schema_migrations") >= 1


def test_results_are_partitioned(world):
    world.configure()
    world.quern("migrate", "up")
    children = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'results'::regclass"
    assert world.value(children) >= 3


def test_topics_create_is_idempotent(world, kafka):
    world.configure(kafka={"partitions": 3})
    assert "missing" in world.quern("topics", "list", code=1).out
    world.topics_made = True
    for _ in range(2):
        world.quern("topics", "create")
    listed = world.quern("topics", "list").out
    assert "missing" not in listed and "3 partitions" in listed
    for lane in ("high", "normal", "low"):
        assert kafka.committed("tasks." + lane) == {0: 0, 1: 0, 2: 0}


def test_topics_create_leaves_offsets_alone(world, kafka):
    stub = world.start_stub()
    world.set_up(stub)
    worker = world.start_worker()
    world.quern("submit", write_batch(world.path / "in.jsonl", 10), "--job", "j", "--wait")
    world.quern("topics", "create")  # while a worker runs
    assert worker.stop() == 0
    before = kafka.committed("tasks.normal")
    assert sum(before.values()) == 10
    world.quern("topics", "create")
    assert kafka.committed("tasks.normal") == before


def test_submit_without_topics_says_what_to_do(world):
    world.configure()
    world.quern("migrate", "up")
    err = world.quern("submit", write_batch(world.path / "in.jsonl", 1), "--job", "j", code=1).err
    assert "quern topics create" in err


@pytest.fixture
def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


@pytest.mark.parametrize("words", [("jobs",), ("migrate", "up"), ("status", "x"), ("results", "x"),
                                   ("submit", "in.jsonl")])
def test_unreachable_postgres(world, closed_port, words):
    write_batch(world.path / "in.jsonl", 1)
    world.configure(database={"url": f"postgresql://quern:hunter2@127.0.0.1:{closed_port}/quern"})
    err = world.quern(*words, code=4, timeout=20).err
    assert str(closed_port) in err and "database.url" in err and "hunter2" not in err


@pytest.mark.parametrize("words", [("topics", "list"), ("topics", "create"), ("submit", "in.jsonl")])
def test_unreachable_kafka(world, closed_port, words):
    write_batch(world.path / "in.jsonl", 1)
    world.configure(kafka={"brokers": f"127.0.0.1:{closed_port}"})
    world.quern("migrate", "up")
    start = time.monotonic()
    err = world.quern(*words, code=4, timeout=40).err
    assert time.monotonic() - start < 20
    assert str(closed_port) in err and "kafka.brokers" in err


def test_a_worker_without_topics_waits_for_them(world):
    stub = world.start_stub()
    world.configure(stub)
    world.quern("migrate", "up")
    worker = world.start_worker()
    wait_until(lambda: worker.text().count("\n") >= 3)
    world.set_up(stub)
    world.quern("submit", write_batch(world.path / "in.jsonl", 5), "--job", "j", "--wait", timeout=50)
    assert worker.stop() == 0


def test_a_worker_without_a_schema_says_what_to_do(world):
    world.configure(world.start_stub())
    worker = world.start_worker()
    assert worker.wait() == 1
    assert "quern migrate up" in worker.text()


def test_a_worker_may_be_stopped_while_it_joins(world):
    world.set_up(world.start_stub())
    for turn in range(12):
        worker = world.start_worker()
        joining = "partitions assigned" if turn % 2 else "started"  # one group of several; none
        wait_until(lambda: worker.events(joining), every=0.002)
        assert worker.stop() == 0, turn


def test_logs_are_json_lines(world):
    world.set_up(world.start_stub(), log={"level": "debug"})
    worker = world.start_worker()
    wait_until(lambda: worker.events("partitions assigned"))
    assert worker.stop() == 0
    for line in worker.text().splitlines():
        assert {"time", "level", "msg"} <= set(json.loads(line))


# ---- help ----

@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(shared, verb):
    out = shared.quern(verb, "--help").out
    assert f"Usage: quern {verb}" in out and "Examples:" in out and f"quern {verb}" in out
    assert verb in shared.quern("--help").out


def test_help_and_usage(shared):
    assert shared.quern("--version").out.startswith("quern ")
    assert "Exit codes" in shared.quern("--help").out
    assert "nosuch" in shared.quern("nosuch", code=2).err
    shared.quern(code=2)
    for verb in VERBS:
        assert "--nonsense" in shared.quern(verb, "--nonsense", code=2).err


def run(*args, **kwargs):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=20,
                          env=environment(), check=False, **kwargs)


def test_man_pages(shared):
    pages = (run(BIN / "quern", "--man"), run(BIN / "quern-worker", "--man"),
             run(BIN / "quern", "config", "reference", "--man"))
    for page in pages:
        assert page.returncode == 0 and page.stdout.startswith(".TH ")
    assert all(f".SS quern {v}" in pages[0].stdout for v in VERBS)


def test_worker_usage(shared):
    assert "Examples:" in run(BIN / "quern-worker", "--help").stdout
    assert run(BIN / "quern-worker", "--version").stdout.startswith("quern-worker ")
    assert run(BIN / "quern-worker", "operand").returncode == 2
    assert run(BIN / "quern-worker", "--config", "nosuch.yaml").returncode == 2


def test_migrate_wait(world):
    """What starts before the migrations are done waits for them, for PostgreSQL too; a newer schema is an error."""
    world.configure()
    late = world.quern("migrate", "wait", "--timeout", "1s", code=1)
    assert "quern migrate up" in late.err
    waiting = world.start_quern("migrate", "wait")
    wait_until(lambda: "waiting" in waiting.text(), 10, "it waits")
    world.quern("migrate", "up")
    assert waiting.wait(10) == 0
    assert world.quern("migrate", "wait").err == ""
    world.sql("INSERT INTO schema_migrations (version, name) VALUES (9999, 'future') RETURNING 1")
    assert "newer quern" in world.quern("migrate", "wait", code=1).err
