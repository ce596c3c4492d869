"""Backends of every dialect give results in OpenAI's shape."""
import http.server
import threading

import pytest

from helpers import request, write_lines

pytestmark = pytest.mark.timeout(60)


def set_up(world, *candidates, **backend):
    """Backends named by their dialect, tried in this order; all are the same stub."""
    stub = world.start_stub()
    backends = [{"name": d, "dialect": d, "base_url": stub.url, **backend} for d in candidates]
    models = [{"name": "*", "candidates": [{"backend": d, "model": "up/../x"} for d in candidates]}]
    world.set_up(stub, backends=backends, models=models)
    world.start_worker()
    return stub


def run(world, lines, code=0):
    path = write_lines(world.path / "in.jsonl", lines)
    world.quern("submit", path, "--job", "job", "--wait", code=code)
    return world.results("job")


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini"])
def test_a_result_has_openais_shape_whatever_the_backend_speaks(world, dialect):
    set_up(world, dialect)
    text = "Summarize: The \u00e9lan of \"it\" was noted by all who were there. More."
    result = run(world, [request("a", text, max_tokens=50)])["a"]
    body = result["response"]["body"]
    assert body["object"] == "chat.completion" and body["created"] > 0
    assert body["choices"][0]["message"]["content"] == 'The \u00e9lan of "it" was noted by all who were there.'
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    booked = world.sql("SELECT backend, model, input_tokens, output_tokens FROM attempts")
    assert booked == [(dialect, "up/../x", usage["prompt_tokens"], usage["completion_tokens"])]


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
def test_failures_are_told_in_openais_shape(world, dialect):
    set_up(world, dialect)
    result = run(world, [request("a", "x [[stub:400]]"), request("b", "good text, x [[stub:429:1]]")], 3)
    assert result["a"]["response"]["body"]["error"]["type"] == "invalid_request"
    assert world.sql("SELECT custom_id, error_type FROM attempts ORDER BY 1, attempt") == [
        ("a", "invalid_request"), ("b", "rate_limit"), ("b", None)]


def test_what_a_dialect_cannot_say_goes_to_the_next_candidate_or_fails_by_name(world):
    stub = set_up(world, "gemini", "openai")
    result = run(world, [request("a", "A good text to summarize.", logit_bias={"1": 2})])
    assert result["a"]["response"]["status_code"] == 200
    assert world.sql("SELECT backend FROM attempts") == [("openai",)]
    assert stub.total() == 1


def test_a_refused_field_costs_no_call(world):
    stub = set_up(world, "anthropic")
    result = run(world, [request("a", "A good text to summarize.", n=2)], 3)["a"]
    assert "body.n" in result["error"]["message"] and result["error"]["code"] == "invalid_request"
    assert stub.total() == 0 and world.value("SELECT count(*) FROM attempts") == 0


class Gateway(http.server.BaseHTTPRequestHandler):
    """Keeps what it was asked, and answers one chat completion."""
    asked = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["api-key"], self.headers["Authorization"]))
        body = b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_gateways_have_their_own_path_and_key_header(world):
    server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    backend = {"name": "azure", "base_url": f"http://127.0.0.1:{server.server_port}/",
               "path": "/openai/{model}{path}?api-version=1", "key_header": "api-key",
               "api_key_env": "AZURE_KEY"}
    world.set_up(None, backends=[backend], models=[
        {"name": "*", "candidates": [{"backend": "azure", "model": "my/../gpt"}]}])
    world.start_worker(AZURE_KEY="secret-azure-key")
    run(world, [request("a", "A good text to summarize.")])
    server.shutdown()
    assert Gateway.asked == [("/openai/my%2F%2E%2E%2Fgpt/chat/completions?api-version=1",
                              "secret-azure-key", None)]
