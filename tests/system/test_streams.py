"""Streamed answers end as the same results, and what goes wrong in them is told apart."""
import json
import socketserver
import threading

import pytest

from helpers import request
from test_dialects import run

pytestmark = pytest.mark.timeout(60)

TEXT = "Summarize: The \u00e9lan of \"it\" was noted by all who were there. More."
SUMMARY = 'The \u00e9lan of "it" was noted by all who were there.'


def set_up(world, dialect="openai", options=(), prices=(), **backend):
    stub = world.start_stub(*options)
    world.set_up(stub, backends=[{"name": "b", "dialect": dialect, "base_url": stub.url, "stream": True,
                                  **backend}],
                 models=[{"name": "*", "candidates": [{"backend": "b", "model": "up"}]}],
                 retry={"attempts": 0}, prices={"models": list(prices)})
    world.start_worker()
    return stub


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
def test_a_streamed_answer_gives_the_same_result_and_the_time_to_its_first_token(world, dialect):
    set_up(world, dialect, ["--latency", "0.2", "--gap", "0.03"])
    result = run(world, [request("a", TEXT)])["a"]
    body = result["response"]["body"]
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"] == SUMMARY
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    (row,) = world.sql("SELECT input_tokens, output_tokens, first_token_ms, duration_ms FROM attempts")
    assert row[:2] == (usage["prompt_tokens"], usage["completion_tokens"])
    assert usage["prompt_tokens"] > 0 and usage["completion_tokens"] > 0
    assert 200 <= row[2] <= row[3] - 200


def test_a_task_may_ask_for_it_itself(world):
    set_up(world, stream=False)
    run(world, [request("a", TEXT, stream=True), request("b", TEXT)])
    assert world.sql("SELECT custom_id FROM attempts WHERE first_token_ms IS NOT NULL") == [("a",)]


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
def test_an_error_in_mid_stream_is_a_failure_of_its_kind(world, dialect):
    set_up(world, dialect)
    result = run(world, [request("a", TEXT + " [[stub:midway]]"), request("b", TEXT)], 3)
    assert result["a"]["error"]["code"] == "overloaded"
    assert result["b"]["response"]["status_code"] == 200
    (row,) = world.sql("SELECT http_status, error_type, input_tokens > 0, cost_usd IS NULL FROM attempts"
                       " WHERE custom_id = 'a'")
    assert row[:2] == (200, "overloaded")
    assert row[2] == (dialect != "openai"), "what it used is booked where it was told"


def test_a_stream_that_ends_early_or_breaks_is_no_answer(world):
    set_up(world, "anthropic")
    result = run(world, [request("cut", TEXT + " [[stub:truncated]]"), request("good", TEXT)], 3)
    assert result["cut"]["error"]["code"] == "network"
    assert world.sql("SELECT input_tokens > 0 FROM attempts WHERE custom_id = 'cut'") == [(True,)]


class Breaking(socketserver.StreamRequestHandler):
    """Streams a whole answer, and then closes without the end that HTTP asks for."""

    def handle(self):
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            length = int(line.split()[1]) if line.lower().startswith(b"content-length") else length
        self.rfile.read(length)
        last = {"choices": [{"index": 0, "delta": {"content": "whole"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
        text = f"data: {json.dumps(last)}\n\n".encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(text), text))


def test_what_breaks_behind_a_whole_answer_does_not_matter(world):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        world.set_up(None, backends=[{"name": "b", "stream": True,
                                      "base_url": f"http://127.0.0.1:{server.server_address[1]}/v1"}],
                     models=[{"name": "*", "candidates": [{"backend": "b"}]}], retry={"attempts": 0})
        world.start_worker()
        result = run(world, [request("a", TEXT)])["a"]
        server.shutdown()
    assert result["response"]["body"]["choices"][0]["message"]["content"] == "whole"
    assert world.sql("SELECT http_status, input_tokens, error_type FROM attempts") == [(200, 3, None)]


def test_usage_that_nobody_tells_is_unknown_not_free(world):
    set_up(world, prices=[{"model": "up", "input": 1, "output": 2}])
    run(world, [request("a", TEXT + " [[stub:nousage]]", stream=True), request("b", TEXT)])
    assert world.sql("SELECT custom_id FROM attempts WHERE cost_usd IS NULL") == [("a",)]
    assert world.value("SELECT unpriced FROM job_status WHERE name = 'job'") == 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_stalled_answer_is_noticed_long_before_the_total(world, stream):
    set_up(world, options=["--latency", "0.5"], stream=stream,
           timeout={"stall": "300ms", "total": "50s", "first": "5s"})
    result = run(world, [request("a", TEXT + " [[stub:stall]]"), request("b", TEXT)], 3)
    assert result["a"]["error"]["code"] == "timeout" and "stall" in result["a"]["error"]["message"]
    assert result["b"]["response"]["status_code"] == 200
    assert world.value("SELECT duration_ms FROM attempts WHERE custom_id = 'a'") < 1500


def test_time_to_the_first_byte_has_a_limit(world):
    set_up(world, timeout={"first": "300ms", "total": "50s"})
    result = run(world, [request("a", TEXT + " [[stub:hang]]"), request("b", TEXT)], 3)
    assert result["a"]["error"]["code"] == "timeout" and "first" in result["a"]["error"]["message"]


def test_a_task_and_a_model_have_time_outs_of_their_own(world):
    stub = world.start_stub("--latency", "1")
    world.set_up(stub, retry={"attempts": 0},
                 backends=[{"name": "b", "base_url": stub.url, "timeout": {"total": "40s"}}],
                 models=[{"name": "hasty", "timeout": {"total": "300ms"}, "candidates": [{"backend": "b"}]},
                         {"name": "*", "candidates": [{"backend": "b"}]}])
    world.start_worker()
    lines = [request("model", TEXT, model="hasty"), {**request("task", TEXT), "timeout": "300ms"},
             {**request("more", TEXT, model="hasty"), "timeout": "20s"}, request("none", TEXT)]
    result = run(world, lines, 3)
    failed = {k for k, v in result.items() if v["error"]}
    assert failed == {"model", "task"}
    assert {result[k]["error"]["code"] for k in failed} == {"timeout"}
