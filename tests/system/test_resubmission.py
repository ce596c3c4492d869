"""The same input under the same name is the same job, whatever happened in between."""
import json
import signal
import time

import pytest

from helpers import wait_until, write_batch

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def stub(world):
    s = world.start_stub()
    world.set_up(s)
    return s


def test_the_same_again_costs_nothing(world, stub):
    path = write_batch(world.path / "in.jsonl", 30)
    world.start_worker()
    world.quern("submit", path, "--job", "again", "--wait")
    before = world.status("again")
    done = world.quern("submit", path, "--job", "again", "--wait")
    assert "30" in done.err and "before" in done.err
    assert world.status("again") == before
    assert stub.total() == 30 and not stub.repeated()
    assert world.value("SELECT count(*) FROM jobs") == 1


def test_the_same_again_before_it_is_done(world, stub, kafka):
    path = write_batch(world.path / "in.jsonl", 30)
    for _ in range(2):
        world.quern("submit", path, "--job", "again")
    assert kafka.sent() == 30


@pytest.mark.parametrize("args", [("--priority", "low"), ("--tenant", "other")])
def test_other_options_under_a_taken_name_are_refused(world, stub, kafka, args):
    path = write_batch(world.path / "in.jsonl", 3)
    world.quern("submit", path, "--job", "taken")
    assert "taken" in world.quern("submit", path, "--job", "taken", *args, code=2).err
    assert kafka.sent() == 3


def test_another_input_under_a_taken_name_is_refused(world, stub, kafka):
    world.quern("submit", write_batch(world.path / "a.jsonl", 3), "--job", "taken")
    other = write_batch(world.path / "b.jsonl", 3, text="Something else {} {}.")
    err = world.quern("submit", other, "--job", "taken", code=2).err
    assert "taken" in err and "nothing was sent" in err
    assert kafka.sent() == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_submit_is_completed_by_the_next(world, kafka, number):
    total = 20_000
    stub = world.start_stub()
    slowly = {"max.in.flight": "1", "batch.num.messages": "20", "linger.ms": "0"}
    world.set_up(stub, kafka={"properties": slowly}, worker={"concurrency": 200})
    path = write_batch(world.path / "in.jsonl", total)
    submit = world.start_quern("submit", path, "--job", "big")
    wait_until(lambda: kafka.sent() > 200, every=0.01)
    submit.signal(number)
    assert submit.wait() == (130 if number == signal.SIGINT else -9), submit.text()
    assert 0 < kafka.sent() < total
    assert world.status("big")["state"] == "running"
    if number == signal.SIGINT:
        assert "again" in submit.text()
        assert 0 < world.value("SELECT published FROM jobs") <= kafka.sent()

    world.set_up(stub, worker={"concurrency": 200})
    world.quern("submit", path, "--job", "big")
    custom_ids = {json.loads(m.value())["custom_id"] for m in kafka.read("tasks.normal")}
    assert custom_ids == {f"t-{i}" for i in range(total)}
    world.start_worker()
    world.quern("submit", path, "--job", "big", "--wait")
    s = world.status("big")
    assert (s["state"], s["total"], s["succeeded"]) == ("completed", total, total)
    wait_until(lambda: kafka.lag() == 0, what="committed offsets")
    assert world.rows() == stub.total() == total and not stub.repeated()


def test_interrupted_waiting_leaves_the_job_alone(world, stub):
    path = write_batch(world.path / "in.jsonl", 5)
    waiting = world.start_quern("submit", path, "--job", "waiting", "--wait")
    wait_until(lambda: world.value("SELECT count(*) FROM jobs WHERE closed_at IS NOT NULL"))
    time.sleep(0.3)
    waiting.signal(signal.SIGINT)
    assert waiting.wait() == 130
    world.start_worker()
    world.quern("submit", path, "--job", "waiting", "--wait")
    assert world.status("waiting")["succeeded"] == 5


def test_a_deadline_in_the_past_expires(world, stub):
    path = write_batch(world.path / "in.jsonl", 4)
    world.start_worker()
    world.quern("submit", path, "-j", "late", "-w", "--deadline", "2026-01-31T10:00:00Z", code=3)
    assert world.status("late")["expired"] == 4
    assert stub.total() == 0
    assert {r["error"]["code"] for r in world.results("late").values()} == {"expired"}
    world.check_counters()


def test_a_deadline_passes_while_tasks_wait(world):
    stub = world.start_stub("--latency", "1")
    world.set_up(stub, worker={"concurrency": 2})
    world.start_worker()
    path = write_batch(world.path / "in.jsonl", 40)
    world.quern("submit", path, "-j", "short", "-w", "--deadline", "2500ms", code=3)
    s = world.status("short")
    assert s["succeeded"] == stub.total() and 2 <= s["succeeded"] <= 10
    assert s["expired"] == 40 - s["succeeded"]
