"""The configuration: every mistake is found, secrets stay secret."""
import http.server
import json
import re
import threading

import pytest

from helpers import request, wait_until, write_lines

pytestmark = pytest.mark.timeout(60)
SECRET = "sk-test-5ecret-0f-the-te5t"

SAMPLE = """\
kafka: {brokers: "127.0.0.1:9092", topic_prefix: "quern.", group: quern}
database: {url: "postgresql://quern@127.0.0.1:5432/quern"}
worker: {concurrency: 2000}
backends:
  - name: local
    dialect: openai
    base_url: "http://127.0.0.1:8080/v1"
    api_key_env: LOCAL_KEY
    concurrency: {max: 2000}
    timeout: {connect: 5s, total: 120s}
models:
  - name: summarizer
    candidates: [{backend: local, model: llama-3.1-8b-instruct}]
  - name: "*"
    candidates: [{backend: local}]
"""

WRONG = """\
kafka:
  broker: "127.0.0.1:9092"
worker:
  concurrency: many
  shutdown_grace: 5 parsecs
log: {level: loud}
databse: {url: x}
backends:
  - name: a
    base_url: "http://127.0.0.1/v1"
    timeout: {totl: 5s}
models:
  - candidates: [{backend: a}]
"""


def check(world, text, code, env=None):
    path = world.path / "c.yaml"
    path.write_text(text)
    return path, world.quern("config", "check", "--config", path, code=code, env=env).err


def test_the_sample_works(world):
    check(world, SAMPLE, 0)


def test_every_mistake_is_told_with_its_line(world):
    path, err = check(world, WRONG, 2)
    told = {int(n): text for n, text in re.findall(rf"^{path}:(\d+):\d+: (.*)$", err, re.M)}
    words = {2: ["broker", "brokers"], 4: ["concurrency", "many"], 5: ["shutdown_grace", "parsecs"],
             6: ["loud", "info"], 7: ["databse", "database"], 11: ["totl", "total"], 13: ["name"]}
    assert set(told) == set(words), err
    for line, expected in words.items():
        assert all(w in told[line] for w in expected), told[line]


@pytest.mark.parametrize("text, word", [
    ("worker: {concurrency: 0}", "concurrency"),
    ("worker: {concurrency: 1e99}", "concurrency"),
    ("worker: [1, 2]", "mapping"),
    ("backends: {name: a}", "list"),
    ("models: [{name: m, candidates: [{backend: nobody}]}]", "nobody"),
    ("backends: [{name: a, base_url: 'ftp://x'}]", "http"),
    ("backends: [{name: a, base_url: 'http://x'}, {name: a, base_url: 'http://y'}]", "twice"),
    ("kafka: {properties: {enable.auto.commit: 'true'}}", "enable.auto.commit"),
    ("backends: [{name: a, base_url: 'http://x'}]\nmodels: [{name: 'm*', order: cheapest, "
     "candidates: [{backend: a}]}]", "cheapest"),
    ("backends: [{name: a, base_url: 'http://x'}]\nmodels: [{name: m, candidates: [{backend: a}], "
     "fallback: {template: 'no {{sense}}'}}]", "{{sense}}"),
    ("kafka: {brokers: [", "c.yaml:"),
    ("kafka: &a {brokers: *a}", ""),
    ("a: " + "[" * 5000, ""),
    ("\xff\xfe", ""),
])
def test_one_mistake(world, text, word):
    path = world.path / "c.yaml"
    path.write_bytes(text.encode("latin-1"))
    err = world.quern("config", "check", "--config", path, code=2).err
    assert str(path) in err and word in err


def test_an_alias_stands_for_its_anchor_or_is_refused(world):
    world.config_path.write_text("kafka: {group: &g other, topic_prefix: *g}")
    done = world.quern("config", "print", code=None)
    assert done.returncode == 2 or re.search(r'topic_prefix: "?other\b', done.out), done.out


def test_a_missing_file(world):
    assert "nosuch.yaml" in world.quern("config", "check", "-c", "nosuch.yaml", code=2).err


def test_the_environment_overrides(world):
    world.config_path.write_text(SAMPLE)
    env = {"QUERN_WORKER_CONCURRENCY": "77", "QUERN_KAFKA_GROUP": "other"}
    out = world.quern("config", "print", env=env).out
    assert re.search(r"concurrency: 77\b", out) and "other" in out
    err = world.quern("config", "check", env={"QUERN_WORKER_CONCURRENCY": "x"}, code=2).err
    assert "QUERN_WORKER_CONCURRENCY" in err
    err = world.quern("config", "check", env={"QUERN_WORKER_CONCURENCY": "7"}, code=2).err
    assert "CONCURENCY" in err


def test_print_shows_no_secrets(world):
    text = SAMPLE.replace("quern@", "quern:hunter2@")
    (world.path / "key").write_text(SECRET)
    text = text.replace("api_key_env: LOCAL_KEY", f"api_key_file: {world.path / 'key'}")
    world.config_path.write_text(text)
    out = world.quern("config", "print", env={"LOCAL_KEY": SECRET}).out
    assert "hunter2" not in out and SECRET not in out
    world.config_path.write_text(out)  # what it prints is a configuration


class Echo(http.server.BaseHTTPRequestHandler):
    """A backend that tells everybody the key that it was given."""
    seen = []

    def do_POST(self):  # noqa: N802
        key = self.headers["Authorization"]
        self.seen.append((self.path, key, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {key}",
                                     "code": "invalid_api_key"}}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Echo.seen.clear()
    yield f"http://127.0.0.1:{server.server_port}/some/v1/"
    server.shutdown()
    server.server_close()


def everything(world):
    """All rows of all tables as text."""
    tables = world.sql("SELECT table_name FROM information_schema.tables"
                       " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
    return "\n".join(str(world.sql(f'SELECT t::text FROM "{name}" t')) for name, in tables)


@pytest.mark.parametrize("hostile", [False, True])
def test_a_key_goes_to_its_backend_only(world, kafka, echo, hostile):
    stub = world.start_stub()
    backend = {"name": "b", "base_url": echo if hostile else stub.url, "api_key_env": "MY_KEY"}
    world.set_up(stub, backends=[backend], log={"level": "debug"},
                 models=[{"name": "*", "candidates": [{"backend": "b"}]}])
    worker = world.start_worker(MY_KEY=SECRET)
    lines = [request("a", "one"), request("b", "[[stub:401]] two"), request("c", "[[stub:reset]] three")]
    path = write_lines(world.path / "in.jsonl", lines)
    world.quern("submit", path, "--job", "key", "--wait", code=3)
    wait_until(lambda: kafka.count("dead") == (3 if hostile else 2), what="dead letters")
    assert worker.stop() == 0
    if hostile:
        assert Echo.seen[0][:2] == ("/some/v1/chat/completions", f"Bearer {SECRET}")
    assert SECRET not in worker.text()
    assert SECRET not in everything(world)
    assert not any(SECRET.encode() in m.value() for m in kafka.read("dead"))
    assert SECRET not in world.quern("results", "key").out
