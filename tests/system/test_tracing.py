"""Spans of tasks and calls, as a real OTLP receiver over HTTP gets them."""
import http.server
import json
import threading
import time

import pytest

from helpers import MODEL, request, wait_until, write_batch, write_lines
from helpers_kafka import task, uuid7
from test_metrics import Scrape, metrics  # noqa: F401

pytestmark = pytest.mark.timeout(90)


class Receiver:
    """Takes POST /v1/traces, checks the form of OTLP's JSON, and keeps the spans. `status` and `delay` are its moods."""

    def __init__(self, status=200, delay=0.0):
        self.spans, self.resources, self.headers, self.requests, self.wrong = [], [], [], 0, []
        self.status, self.delay = status, delay
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.delay)
                receiver.requests += 1
                receiver.headers.append(dict(self.headers))
                if receiver.status == 200:
                    try:
                        receiver.take(json.loads(body))
                    except Exception as e:  # pylint: disable=broad-except
                        receiver.wrong.append(repr(e))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, body):
        assert list(body) == ["resourceSpans"]
        for r in body["resourceSpans"]:
            self.resources.append(values(r["resource"]["attributes"]))
            for scope in r["scopeSpans"]:
                assert scope["scope"]["name"] == "quern"
                for s in scope["spans"]:
                    assert len(s["traceId"]) == 32 and len(s["spanId"]) == 16 and int(s["spanId"], 16)
                    assert int(s["endTimeUnixNano"]) >= int(s["startTimeUnixNano"]) > 10**18
                    s["attributes"] = values(s["attributes"])
                    self.spans.append(s)

    def tasks(self):
        return {s["attributes"]["quern.custom_id"]: s for s in list(self.spans) if s["kind"] == 5}

    def calls(self, of):
        return [s for s in list(self.spans) if s["kind"] == 3 and s["parentSpanId"] == of["spanId"]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def values(attributes):
    keys = [a["key"] for a in attributes]
    assert len(set(keys)) == len(keys)
    return {a["key"]: int(a["value"]["intValue"]) if "intValue" in a["value"] else a["value"]["stringValue"] for a in attributes}


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()
    assert not r.wrong


def test_a_task_and_its_calls(world, receiver):
    stub = world.start_stub()
    world.set_up(stub, retry={"base_delay": "1ms"}, tracing={"endpoint": receiver.url, "authorization_env": "TRACE_KEY"},
                 backends=[{"name": "stub", "base_url": stub.url, "breaker": {"failures": 0}}],
                 prices={"models": [{"model": MODEL, "input": 0.15, "output": 0.6}]})
    lines = [request("good", "Hello"), request("again", "[[stub:503:1]]"), request("bad", '[[stub:400]] "secret words"')]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "j", "--tenant", "acme", "--feature", 'a "b"')
    world.start_worker(TRACE_KEY="Bearer k")
    wait_until(lambda: len(receiver.tasks()) == 3, 30, "three tasks")
    tasks = receiver.tasks()
    good, again, bad = (tasks[x] for x in ("good", "again", "bad"))
    assert good["attributes"]["quern.status"] == "succeeded" and "status" not in good
    assert good["attributes"]["quern.tenant"] == "acme" and good["attributes"]["quern.feature"] == 'a "b"'
    assert good["attributes"]["messaging.system"] == "kafka" and good["name"] == f"process {world.prefix}tasks.normal"
    assert "parentSpanId" not in good
    call, = receiver.calls(good)
    assert call["name"] == f"chat {MODEL}" and call["traceId"] == good["traceId"]
    a = call["attributes"]
    assert (a["gen_ai.operation.name"], a["gen_ai.provider.name"], a["gen_ai.request.model"]) == ("chat", "openai", MODEL)
    row = world.sql("SELECT input_tokens, output_tokens, to_hex(token), cost_usd FROM attempts WHERE custom_id = 'good'")[0]
    assert (a["gen_ai.usage.input_tokens"], a["gen_ai.usage.output_tokens"]) == row[:2]
    assert call["spanId"] == row[2].zfill(16) and float(a["quern.cost_usd"]) == float(row[3])
    first, second = sorted(receiver.calls(again), key=lambda s: int(s["startTimeUnixNano"]))
    assert first["status"]["code"] == 2 and first["attributes"]["http.response.status_code"] == 503
    assert "status" not in second and second["attributes"]["quern.attempt"] == 2
    assert bad["status"]["code"] == 2 and bad["attributes"]["error.type"] == "invalid_request"
    assert len({t["traceId"] for t in tasks.values()}) == 3
    assert receiver.resources[0]["service.name"] == "quern-worker" and receiver.resources[0]["service.version"]
    assert all(h["Authorization"] == "Bearer k" for h in receiver.headers)
    assert "secret words" not in json.dumps(receiver.spans)


def test_the_context_of_the_record(world, kafka, receiver):
    """A sampled parent is followed, whatever the ratio; one that is not sampled is not; nonsense counts as none."""
    world.set_up(world.start_stub(), tracing={"endpoint": receiver.url, "ratio": 0})
    job, trace, parent = uuid7(), "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"sampled": f"00-{trace}-{parent}-01", "unsampled": f"00-{trace}-{parent}-00", "zeros": f"00-{'0' * 32}-{parent}-01",
               "junk": "00-xyz", "long": f"00-{trace}-{parent}-01-more", "none": None}
    for name, value in headers.items():
        kafka.producer.produce(kafka.topic("tasks.normal"), json.dumps(task(job, name)).encode(),
                               headers=[("traceparent", value.encode())] if value else None)
    kafka.producer.flush(10)
    worker = world.start_worker()
    world.wait_rows(len(headers))
    assert worker.stop() == 0  # what is left is sent before it ends
    assert set(receiver.tasks()) == {"sampled"}
    span = receiver.tasks()["sampled"]
    assert (span["traceId"], span["parentSpanId"]) == (trace, parent)


def test_a_share_is_sampled(world, receiver):
    world.set_up(world.start_stub(), tracing={"endpoint": receiver.url, "ratio": 0.25})
    world.quern("submit", write_batch(world.path / "in.jsonl", 400), "--job", "j")
    worker = world.start_worker()
    world.wait_rows(400)
    assert worker.stop() == 0
    assert 60 < len(receiver.tasks()) < 140


def test_copies_of_a_task_are_one_trace(world, receiver):
    world.set_up(world.start_stub(), retry={"attempts": 0, "rounds": 1}, tracing={"endpoint": receiver.url},
                 backends=[{"name": "stub", "base_url": world.processes[0].url, "breaker": {"failures": 0}}])
    world.quern("submit", write_lines(world.path / "in.jsonl", [request("t", "[[stub:503:1]]")]), "--job", "j")
    worker = world.start_worker()
    world.wait_rows(1)
    assert worker.stop() == 0
    spans = sorted((s for s in receiver.spans if s["kind"] == 5), key=lambda s: int(s["startTimeUnixNano"]))
    assert [s["attributes"]["quern.status"] for s in spans] == ["parked", "succeeded"]
    assert len({s["traceId"] for s in spans}) == 1 and len({s["spanId"] for s in spans}) == 2


@pytest.mark.parametrize("mood", ["refuses", "sleeps", "is away"])
def test_a_bad_receiver_holds_up_nothing(world, metrics, mood):  # noqa: F811
    r = Receiver(status=503 if mood == "refuses" else 200, delay=30 if mood == "sleeps" else 0)
    if mood == "is away":
        r.close()
    metrics(world.start_stub(), tracing={"endpoint": r.url}, worker={"concurrency": 200})
    world.quern("submit", write_batch(world.path / "in.jsonl", 3000), "--job", "j")
    worker = world.start_worker()
    begun = time.monotonic()
    world.wait_rows(3000, 40)
    assert time.monotonic() - begun < 30
    wait_until(lambda: Scrape(worker).sum("quern_trace_spans_total", outcome="dropped") > 0, 20, "dropped spans")
    assert "spans were not taken" in worker.text() or mood == "sleeps"
    stopped = time.monotonic()
    assert worker.stop() == 0 and time.monotonic() - stopped < 15
    if mood != "is away":
        r.close()
