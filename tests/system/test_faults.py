"""A failing or hostile backend hurts only itself: retries, dead letters, candidates."""
import json

import pytest

from helpers import ROOT, request, wait_until, write_lines

pytestmark = pytest.mark.timeout(90)

WORTH_RETRYING = {"429": "rate_limit", "500": "api_error", "503": "overloaded", "hang": "timeout",
                  "slow": "timeout", "reset": "network", "truncated": "network",
                  "length": "network", "malformed": "malformed_response",
                  "empty": "malformed_response", "huge": "malformed_response"}
NOT_RETRIED = {"400": "invalid_request", "401": "auth", "quota": "quota_exhausted"}


def submit(world, lines, job="faults", code=0):
    path = write_lines(world.path / f"{job}.jsonl", lines)
    world.quern("submit", path, "--job", job, "--wait", code=code, timeout=80)


def start(world, *stub_args, total="1s", breaker=True, **changes):
    stub = world.start_stub(*stub_args)
    backend = {"name": "stub", "base_url": stub.url, "timeout": {"total": total}}
    if not breaker:
        backend["breaker"] = {"failures": 0}
    world.set_up(stub, backends=[backend], **changes)
    world.start_worker()
    return stub


def outcomes(world):
    """{custom_id: (status, error_type, attempts, rows in attempts, dead letters published)}."""
    open_letters = "SELECT count(*) FROM dead_letters WHERE published_at IS NULL"
    wait_until(lambda: world.value(open_letters) == 0, 10, "published dead letters")
    rows = world.sql(
        "SELECT custom_id, status, error_type, attempts,"
        " (SELECT count(*) FROM attempts a WHERE a.custom_id = r.custom_id),"
        " (SELECT count(*) FROM dead_letters d WHERE d.custom_id = r.custom_id"
        "  AND published_at IS NOT NULL) FROM results r")
    return {r[0]: r[1:] for r in rows}


def test_every_fault_ends_as_it_should(world, kafka):
    start(world, breaker=False)  # every failure counts
    faults = {**WORTH_RETRYING, **NOT_RETRIED}
    lines = [request(f"{k}-always", f"[[stub:{k}]] always {k}") for k in faults]
    once = WORTH_RETRYING.keys() - {"reset"}  # has a test of its own
    lines += [request(f"{k}-once", f"[[stub:{k}:1]] once {k}") for k in once]
    lines += [request(f"healthy-{i}", f"Summarize: healthy text {i}.") for i in range(200)]
    submit(world, lines, code=3)
    expected = {f"healthy-{i}": ("succeeded", None, 1, 1, 0) for i in range(200)}
    expected |= {f"{k}-once": ("succeeded", None, 2, 2, 0) for k in once}
    expected |= {f"{k}-always": ("failed", t, 4, 4, 1) for k, t in WORTH_RETRYING.items()}
    expected |= {f"{k}-always": ("failed", t, 1, 1, 1) for k, t in NOT_RETRIED.items()}
    assert outcomes(world) == expected
    assert kafka.count("dead") == len(faults)
    assert world.value("SELECT count(*) FROM attempts WHERE http_status IS NULL AND cost_usd IS NOT NULL") == 0, (
        "what was sent and never answered may have been billed")
    assert world.value("SELECT count(*) FROM attempts WHERE http_status >= 400 AND cost_usd <> 0") == 0
    world.check_counters()
    slow = world.value("SELECT max(finished_at) - min(started_at) < interval '3s'"
                       " FROM results WHERE custom_id LIKE 'healthy-%'")
    assert slow, "healthy tasks waited for the others"


def test_every_call_is_in_the_books_when_connections_break(world):
    stub = start(world)
    submit(world, [request(f"warm-{i}", f"warm {i}") for i in range(50)], job="warm")
    stub_calls = stub.total()  # its connections are open now, and used again
    kinds = ("reset", "truncated")
    lines = [request(f"{k}-{i}", f"[[stub:{k}:1]] {k} {i}") for k in kinds for i in range(5)]
    submit(world, lines)
    booked = world.value("SELECT count(*) FROM attempts WHERE custom_id NOT LIKE 'warm%'")
    assert stub.total() - stub_calls == booked == 20


def test_a_task_succeeds_at_the_third_call(world):
    stub = start(world)
    submit(world, [request("t", "[[stub:500:2]] Summarize: a text.")])
    assert outcomes(world) == {"t": ("succeeded", None, 3, 3, 0)}
    assert list(stub.calls().values()) == [3]
    attempts = "SELECT attempt, http_status, error_type FROM attempts ORDER BY started_at"
    assert world.sql(attempts) == [(1, 500, "api_error"), (2, 500, "api_error"), (3, 200, None)]


def test_retry_after_is_obeyed(world):
    start(world, "--retry-after", "2")
    submit(world, [request("t", "[[stub:429:1]] Summarize: a text.")])
    pause = world.value("SELECT extract(epoch FROM max(started_at) - min(started_at)) FROM attempts")
    assert 1.95 <= pause <= 3.5


def test_a_dead_letter_tells_everything(world, kafka):
    start(world)
    task = request("t", "[[stub:500]] Summarize: a text.")
    submit(world, [task], code=3)
    assert outcomes(world) == {"t": ("failed", "api_error", 4, 4, 1)}
    row = world.sql("SELECT job_id::text, reason, error, topic, partition, kafka_offset, record"
                    " FROM dead_letters")[0]
    message, = kafka.read("dead")
    letter = json.loads(message.value())
    assert (letter["job_id"], letter["reason"], letter["error"], letter["topic"],
            letter["partition"], letter["offset"]) == row[:6]
    assert letter["record"] == json.loads(row[6]) and letter["record"]["body"] == task["body"]
    assert letter["attempts"] == 4 and letter["status"] == "failed" and letter["custom_id"] == "t"
    assert message.key().decode() == f"{row[0]}/t"
    schema = ROOT / "schemas/dead_letter.schema.json"
    if schema.exists():
        import jsonschema
        jsonschema.validate(letter, json.loads(schema.read_text()))


def test_a_broken_answer_is_an_error_line(world):
    start(world)
    submit(world, [request("t", "[[stub:malformed]] text")], code=3)
    line = world.results("faults")["t"]
    assert line["response"] is None and line["error"]["code"] == "malformed_response"
    assert line["error"]["message"]


def test_the_next_candidate_is_tried(world):
    first, second = world.start_stub("--fault", "401=1"), world.start_stub()
    world.set_up(
        backends=[{"name": "first", "base_url": first.url}, {"name": "second", "base_url": second.url}],
        models=[{"name": "summarizer", "candidates": [
            {"backend": "first", "model": "gpt-4o"}, {"backend": "second", "model": "gpt-4o-mini"}]}])
    world.start_worker()
    submit(world, [request(f"t-{i}", f"text {i}", model="summarizer") for i in range(10)])
    assert world.sql("SELECT DISTINCT status, backend, model, upstream_model FROM results") == [
        ("succeeded", "second", "summarizer", "gpt-4o-mini")]
    attempts = "SELECT backend, model, error_type, count(*) FROM attempts GROUP BY 1, 2, 3 ORDER BY 1"
    assert world.sql(attempts) == [("first", "gpt-4o", "auth", 10), ("second", "gpt-4o-mini", None, 10)]


def test_a_dead_backend_does_not_hold_up_another(world):
    alive = world.start_stub()
    world.set_up(
        worker={"concurrency": 8}, retry={"base_delay": "200ms", "give_up_after": "4s"},
        backends=[{"name": "dead", "base_url": "http://127.0.0.1:9/v1"},
                  {"name": "alive", "base_url": alive.url}],
        models=[{"name": "dead", "candidates": [{"backend": "dead"}]},
                {"name": "*", "candidates": [{"backend": "alive"}]}])
    world.start_worker()
    lines = [request(f"dead-{i}", f"dead {i}", model="dead") for i in range(50)]
    submit(world, lines + [request(f"ok-{i}", f"ok {i}") for i in range(50)], code=3)
    got = world.sql("SELECT left(custom_id, 2), status, error_type, count(*) FROM results"
                    " GROUP BY 1, 2, 3 ORDER BY 1")
    assert {(x[0], x[1]) for x in got} == {("de", "failed"), ("ok", "succeeded")}
    assert {x[2] for x in got} <= {"network", "backend_out", None}


def test_a_hanging_backend_leaves_slots_to_another(world):
    hanging, alive = world.start_stub("--fault", "hang=1"), world.start_stub()
    world.set_up(
        worker={"concurrency": 8}, retry={"attempts": 0},
        backends=[{"name": "hanging", "base_url": hanging.url, "concurrency": {"max": 4},
                   "timeout": {"total": "2s"}},
                  {"name": "alive", "base_url": alive.url}],
        models=[{"name": "hanging", "candidates": [{"backend": "hanging"}]},
                {"name": "*", "candidates": [{"backend": "alive"}]}])
    lines = [request(f"hang-{i}", f"hang {i}", model="hanging") for i in range(8)]
    path = write_lines(world.path / "in.jsonl", lines + [request(f"ok-{i}", f"ok {i}") for i in range(100)])
    world.quern("submit", path, "--job", "hang")
    world.start_worker()
    wait_until(lambda: world.value("SELECT count(*) FROM results WHERE status = 'succeeded'") == 100)
    assert world.value("SELECT count(*) FROM results WHERE status = 'failed'") == 0, "ok waited"
    world.wait_rows(108)


def test_a_model_without_an_entry_fails_its_task_only(world):
    stub = world.start_stub()
    world.set_up(stub, models=[{"name": "gpt-*", "candidates": [{"backend": "stub"}]}])
    world.start_worker()
    submit(world, [request("a", "text a", model="other"), request("b", "text b")], code=3)
    got = outcomes(world)
    assert got["a"][:4] == ("failed", "model_not_found", 0, 0)
    assert got["b"][:2] == ("succeeded", None)
