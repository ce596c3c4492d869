"""Several keys, and what a service's headers say of its limits: against a service that keeps both."""
import http.server
import json
import signal
import threading
import time

import pytest

from helpers import request, wait_until, write_lines

pytestmark = pytest.mark.timeout(60)


class Service:
    """Answers chat completions to good keys only. `calls`: (time, key, model, status)."""

    def __init__(self):
        self.good, self.spent, self.forbidden = set(), set(), set()
        self.slow = threading.Event()  # cleared: calls wait for it
        self.slow.set()
        self.headers, self.calls = {}, []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                at = time.time()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, answer = service.answer(key)
                service.calls.append((at, key, body["model"], status))
                service.slow.wait(20)
                text = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in service.headers.get(body["model"], {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128  # connections come all at once

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, key):
        if key in self.spent:
            return 429, {"error": {"message": f"no credit for {key}", "code": "insufficient_quota"}}
        if key in self.forbidden:
            return 403, {"error": {"message": "this model is not for you"}}
        if key not in self.good:
            return 401, {"error": {"message": f"bad key {key}", "code": "invalid_api_key"}}
        return 200, {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1}}

    def count(self, status):
        return sum(c[3] == status for c in self.calls)


@pytest.fixture
def service():
    s = Service()
    yield s
    s.server.shutdown()
    s.server.server_close()


def set_up(world, service, backend, **changes):
    """A worker with that backend; returns it."""
    world.set_up(None, backends=[{"name": "b", "base_url": service.url, **backend}],
                 **{"models": [{"name": "*", "candidates": [{"backend": "b"}]}], **changes})
    return world.start_worker(KEYS="key-one, key-two,key-three")


def run(world, n, job, code=0):
    lines = [request(f"{job}-{i}", f"text {i}") for i in range(n)]
    world.quern("submit", write_lines(world.path / f"{job}.jsonl", lines), "--job", job, "--wait", code=code)


def test_a_refused_key_gives_way_to_the_next_and_no_task_fails(world, service):
    service.good, service.spent = {"key-three"}, {"key-two"}
    worker = set_up(world, service, {"api_key_env": "KEYS"}, retry={"attempts": 0})
    run(world, 50, "a")
    assert {c[1] for c in service.calls if c[3] == 200} == {"key-three"}
    assert service.count(200) == 50
    before = len(service.calls)
    run(world, 50, "b")
    assert len(service.calls) == before + 50, "the good key is kept"
    assert len(worker.events("a key was refused; the next is used")) == 2
    assert not world.sql("SELECT 1 FROM attempts WHERE error LIKE '%key-one%' OR error LIKE '%key-two%'")
    assert world.value("SELECT count(*) FROM attempts WHERE error LIKE '%*******%'") > 0
    assert not any(k in worker.text() for k in ("key-one", "key-two", "key-three"))


def test_when_all_keys_are_refused_tasks_fail_and_each_key_was_tried(world, service):
    set_up(world, service, {"api_key_env": "KEYS"}, retry={"attempts": 0}, worker={"concurrency": 1})
    run(world, 1, "a", code=3)
    assert [c[1] for c in service.calls] == ["key-one", "key-two", "key-three"]
    run(world, 20, "b", code=3)
    assert len(service.calls) <= 3 * 21


def test_what_is_forbidden_is_not_tried_with_every_key(world, service):
    service.good, service.forbidden = {"key-two"}, {"key-one"}
    worker = set_up(world, service, {"api_key_env": "KEYS"}, retry={"attempts": 0}, worker={"concurrency": 1})
    run(world, 1, "a", code=3)
    assert [c[1] for c in service.calls] == ["key-one"]
    assert not worker.events("a key was refused; the next is used")


def test_a_key_file_is_read_again_on_hangup(world, service):
    keys = world.path / "keys"
    keys.write_text("old-key\n")
    service.good = {"old-key"}
    worker = set_up(world, service, {"api_key_file": str(keys)}, retry={"attempts": 0})
    run(world, 5, "a")
    keys.write_text("new-key-1\nnew-key-2\n")
    service.good = {"new-key-2"}
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.events("keys changed"), what="the keys were read")
    run(world, 5, "b")
    assert [c[1] for c in service.calls if c[3] == 200] == ["old-key"] * 5 + ["new-key-2"] * 5
    keys.write_text("")
    worker.signal(signal.SIGHUP)
    wait_until(lambda: len(worker.events("cannot read keys again; the old ones stay")) == 1)
    keys.unlink()
    worker.signal(signal.SIGHUP)
    wait_until(lambda: len(worker.events("cannot read keys again; the old ones stay")) == 2)
    run(world, 5, "c")
    assert service.calls[-1][1] == "new-key-2" and worker.stop() == 0


def test_calls_in_flight_end_with_the_key_that_they_began_with(world, service):
    keys = world.path / "keys"
    keys.write_text("old-key\n")
    service.good = {"old-key"}
    worker = set_up(world, service, {"api_key_file": str(keys)}, retry={"attempts": 0})
    service.slow.clear()
    submit = world.start_quern("submit", write_lines(world.path / "in.jsonl", [request(f"t-{i}", f"text {i}") for i in range(20)]),
                               "--job", "j", "--wait")
    wait_until(lambda: len(service.calls) == 20)
    keys.write_text("new-key\n")
    service.good = {"new-key"}
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.events("keys changed"))
    service.slow.set()
    assert submit.wait() == 0
    run(world, 3, "b")
    assert [c[1] for c in service.calls] == ["old-key"] * 20 + ["new-key"] * 3
    assert worker.stop() == 0


def test_a_quota_that_is_spent_when_the_worker_starts_fails_no_task(world, service):
    service.spent = {"key-one", "key-two", "key-three"}
    worker = set_up(world, service, {"api_key_env": "KEYS", "breaker": {"wait": "200ms", "wait_max": "200ms"}},
                    worker={"concurrency": 4})
    submit = world.start_quern("submit", write_lines(world.path / "in.jsonl", [request(f"t-{i}", f"text {i}") for i in range(20)]),
                               "--job", "j", "--wait")
    wait_until(lambda: worker.events("a backend is out; its tasks wait"))
    assert world.rows() == 0
    service.good, service.spent = service.spent, set()  # somebody pays
    assert submit.wait() == 0
    assert world.value("SELECT count(*) FROM results WHERE status = 'succeeded'") == 20


def test_a_limit_that_is_used_up_makes_its_calls_wait(world, service):
    """One model's answers say that nothing is left for a second: its calls keep that distance; those
    of the other model, with a limit entry of its own, do not wait."""
    service.good = {"key-one"}
    service.headers = {"slow": {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}}
    worker = set_up(world, service, {"api_key_env": "KEYS", "limits": [{"model": "slow"}, {"model": "fast"}]},
                    worker={"concurrency": 1})
    keep_distance(world, service, worker)


def test_without_limits_a_models_own_candidates_keep_theirs(world, service):
    """The same where no limit is configured, for models that the rules name."""
    service.good = {"key-one"}
    service.headers = {"slow": {"ratelimit-remaining": "0", "ratelimit-reset": "1"}}
    worker = set_up(world, service, {"api_key_env": "KEYS"}, worker={"concurrency": 1},
                    models=[{"name": m, "candidates": [{"backend": "b", "model": m}]} for m in ("slow", "fast")])
    keep_distance(world, service, worker)


def keep_distance(world, service, worker):
    lines = [request(f"{m}-{i}", f"text {i}", model=m) for i in range(4) for m in ("slow", "fast")]
    started = time.time()
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "limit", "--wait")
    at = {m: [c[0] for c in service.calls if c[2] == m] for m in ("slow", "fast")}
    assert len(at["slow"]) == len(at["fast"]) == 4 and service.count(200) == 8
    gaps = [b - a for a, b in zip(at["slow"], at["slow"][1:])]
    assert all(0.95 < gap < 1.6 for gap in gaps), gaps
    assert max(at["fast"]) < at["slow"][1] and time.time() - started < 10
    assert worker.events("a rate limit is used up, as the backend says; its calls wait")
