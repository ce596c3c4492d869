"""What a worker tells on /metrics, /healthz and /readyz, to promtool and to a real Prometheus."""
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from helpers_kafka import task, uuid7
from helpers import BIN, MODEL, ROOT, environment, request, wait_until, write_batch, write_lines

pytestmark = pytest.mark.timeout(120)


def url_of(worker):
    """Where it listens, as its log says."""
    event = wait_until(lambda: worker.events("metrics"), 20, "the metrics port")[0]
    return f"http://127.0.0.1:{event['port']}"


def get(url, timeout=5, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=timeout) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Scrape:
    """One reading of /metrics."""

    def __init__(self, worker):
        status, self.text = get(url_of(worker) + "/metrics")
        assert status == 200
        self.samples = {}
        for line in self.text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                assert name not in self.samples, f"{name} is there twice"
                self.samples[name] = float(value)

    def sum(self, name, **labels):
        """Of all series of that name with these labels."""
        def fits(sample):
            found = re.match(r"(\w+)(?:\{(.*)\})?$", sample)
            return found[1] == name and all(f'{k}="{v}"' in (found[2] or "") for k, v in labels.items())
        values = [v for s, v in self.samples.items() if fits(s)]
        assert values, f"no {name}{labels} in:\n{self.text}"
        return sum(values)


def ready(worker):
    wait_until(lambda: get(url_of(worker) + "/readyz")[0] == 200, 20, "readiness")


@pytest.fixture
def metrics(world):
    """A world whose workers listen on a port of their own."""
    def set_up(stub, **changes):
        world.set_up(stub, metrics={"listen": "127.0.0.1:0"}, **changes)
        return world
    return set_up


def test_counts_agree_with_the_books(world, metrics):
    stub = world.start_stub()
    metrics(stub, prices={"models": [{"model": MODEL, "input": 0.15, "output": 0.6}]})
    lines = [request(f"t-{i}", f"Text {i}") for i in range(40)]
    lines += [request(f"bad-{i}", f"[[stub:400]] {i}") for i in range(3)]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "j", "--priority", "high",
                "--feature", 'say "hi"\\', "--tenant", "acme")
    worker = world.start_worker()
    world.wait_rows(43)
    s = wait_until(lambda: (lambda s: s if s.sum("quern_results_total") == 43 else None)(Scrape(worker)),
                   10, "43 results in the metrics")
    assert s.sum("quern_results_total", status="succeeded", lane="high") == 40
    assert s.sum("quern_results_total", status="failed") == 3
    assert s.sum("quern_dead_letters_total", type="invalid_request") == 3
    assert s.sum("quern_attempts_total", type="success", backend="stub", model=MODEL) == 40
    assert s.sum("quern_attempts_total") == world.value("SELECT count(*) FROM attempts")
    cost = world.value("SELECT sum(cost_usd) FROM attempts")
    assert cost > 0 and abs(s.sum("quern_cost_usd_total", lane="high") - float(cost)) < 1e-12
    tokens = world.value("SELECT sum(output_tokens)::bigint FROM attempts")
    assert s.sum("quern_tokens_total", kind="output", feature='say \\"hi\\"\\\\') == tokens
    assert s.sum("quern_tenant_tokens_total", tenant="acme") > tokens
    assert s.sum("quern_task_duration_seconds_count", lane="high", outcome="success") == 40
    assert s.sum("quern_task_queue_seconds_count", lane="high", outcome="failure") == 3
    assert s.sum("quern_call_duration_seconds_count", backend="stub", outcome="success") == 40
    assert s.sum("quern_settle_rows_sum") == 43
    wait_until(lambda: Scrape(worker).sum("quern_worker_tasks") == 0, 10, "letters published")


def test_costs_saved_and_limits_kept_are_metrics(world, metrics):
    """How far estimates are off, what budgets have used and warned of, what the cache has saved."""
    metrics(world.start_stub(), prices={"models": [{"model": MODEL, "input": 10, "output": 30}]},
            cache={"rules": [{"ttl": "1h"}]})
    world.quern("limits", "set", "b", "--budget", "1", "--period", "total", "--warn", "1")
    world.quern("limits", "set", "t", "--tokens", "1000000000", "--window", "1m")
    worker = world.start_worker()
    ready(worker)
    world.quern("submit", write_batch(world.path / "in.jsonl", 150, max_tokens=100), "--job", "j", "--wait")
    world.quern("submit", write_batch(world.path / "in.jsonl", 150, max_tokens=100), "--job", "again", "--wait")
    spent = float(world.value("SELECT sum(cost_usd) FROM attempts"))
    s = wait_until(lambda: (lambda s: s if s.samples.get('quern_budget_warnings_total{limit="b",percent="1"}') else None)(
        Scrape(worker)), 20, "a warning")
    assert s.sum("quern_budget_warnings_total") == 1 and spent > 0.01
    assert 0 < s.sum("quern_token_estimate_error_ratio", model=MODEL) < 0.05
    assert s.sum("quern_answers_shared_total", source="cached") == 150
    assert abs(s.sum("quern_saved_usd_total", kind="cached") - spent) < 1e-9
    wait_until(lambda: abs(Scrape(worker).sum("quern_budget_used_ratio", limit="b") - spent) < 0.01, 20, "the share used")


def test_promtool_finds_nothing_wrong(world, metrics):
    metrics(world.start_stub())
    world.quern("submit", write_batch(world.path / "in.jsonl", 5), "--job", "j")
    worker = world.start_worker()
    world.wait_rows(5)
    ready(worker)
    text = Scrape(worker).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True,
                          check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert "quern_backlog_tasks" in text


def test_backlog_is_an_explicit_zero_and_follows_the_queue(world, metrics):
    stub = world.start_stub("--latency", "1.5")
    metrics(stub, worker={"concurrency": 2})
    worker = world.start_worker()
    ready(worker)
    s = Scrape(worker)
    assert all(s.sum("quern_backlog_tasks", lane=x) == 0 for x in ("high", "normal", "low"))
    world.quern("submit", write_batch(world.path / "in.jsonl", 8), "--job", "j", "--priority", "low")
    wait_until(lambda: Scrape(worker).sum("quern_backlog_tasks", lane="low") >= 3, 15, "a backlog")
    s = Scrape(worker)
    assert s.sum("quern_worker_tasks", state="calling") == 2
    assert s.sum("quern_backend_in_flight_calls", backend="stub", lane="low") == 2
    assert s.sum("quern_queue_oldest_age_seconds", lane="low") > 0
    world.wait_rows(8)
    wait_until(lambda: Scrape(worker).sum("quern_backlog_tasks") == 0, 15, "no backlog")
    wait_until(lambda: world.value("SELECT finished_at FROM jobs"), 15, "the job's end")


def test_parked_tasks_are_no_backlog_until_they_are_due(world, metrics):
    stub = world.start_stub()
    metrics(stub, retry={"attempts": 0, "rounds": 1}, backends=[
        {"name": "stub", "base_url": stub.url, "breaker": {"failures": 0}}])
    world.quern("submit", write_batch(world.path / "in.jsonl", 4, text="[[stub:503]] {} {}"), "--job", "j")
    worker = world.start_worker()
    wait_until(lambda: Scrape(worker).samples.get('quern_parked_tasks{lane="normal"}') == 4, 20, "4 parked")
    s = Scrape(worker)
    assert s.sum("quern_backlog_tasks") == 0
    assert s.sum("quern_parked_total", tier="10s") == 4


def test_probes(world, metrics):
    metrics(world.start_stub())
    worker = world.start_worker()
    ready(worker)
    base = url_of(worker)
    assert get(base + "/healthz") == (200, "alive\n")
    assert get(base + "/")[0] == 404
    assert get(base + "/metrics", method="POST")[0] == 405
    assert get(base + "/healthz", method="HEAD") == (200, "")
    os.kill(worker.popen.pid, signal.SIGSTOP)  # the loop does not turn
    with pytest.raises((TimeoutError, OSError)):
        get(base + "/healthz", timeout=1)
    os.kill(worker.popen.pid, signal.SIGCONT)
    ready(worker)


def test_not_ready_without_postgresql(world, metrics):
    metrics(world.start_stub())
    worker = world.start_worker()
    ready(worker)
    with world.servers.connect("postgres") as db:
        db.execute(f"ALTER DATABASE {world.database} ALLOW_CONNECTIONS false")
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                   " AND application_name LIKE 'quern%%'", (world.database,))
        base = url_of(worker)
        wait_until(lambda: get(base + "/readyz")[0] == 503, 40, "unreadiness")
        assert "PostgreSQL" in get(base + "/readyz")[1]
        assert get(base + "/healthz")[0] == 200
        db.execute(f"ALTER DATABASE {world.database} ALLOW_CONNECTIONS true")
    ready(worker)


def test_a_port_that_is_taken_is_said(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        world.set_up(world.start_stub(), metrics={"listen": f"127.0.0.1:{port}"})
        worker = world.start_worker()
        assert worker.wait() == 1
    assert "cannot listen" in worker.text() and str(port) in worker.text()


def test_slow_and_rude_clients_hold_up_nothing(world, metrics):
    metrics(world.start_stub())
    worker = world.start_worker()
    ready(worker)
    port = int(url_of(worker).rsplit(":", 1)[1])
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(15)]
    for s in idle[:10]:
        s.sendall(b"GET /metr")
    for junk in (b"\x00\xff\r\n\r\n", b"GET " + b"a" * 100000, b"PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(5)
            try:
                s.sendall(junk)
                s.recv(100)
            except OSError:
                pass
    world.quern("submit", write_batch(world.path / "in.jsonl", 20), "--job", "j", "--wait")
    for s in idle:
        s.close()
    wait_until(lambda: get(url_of(worker) + "/healthz")[0] == 200, 15, "an answer")


def test_labels_from_tasks_are_bounded(world, kafka, metrics):
    metrics(world.start_stub(), worker={"concurrency": 200})
    job = uuid7()
    kafka.send([task(job, f"t-{i}", f"Text {i}", feature=f"f-{i}", tenant=f"t-{i}") for i in range(700)])
    worker = world.start_worker()
    world.wait_rows(700)
    s = wait_until(lambda: (lambda s: s if s.sum("quern_results_total") == 700 else None)(Scrape(worker)),
                   10, "700 results in the metrics")
    for metric, label in (("cost_usd_total", "feature"), ("tenant_tokens_total", "tenant")):
        values = set(re.findall(rf'quern_{metric}\{{[^}}]*{label}="([^"]*)"', s.text))
        assert len(values) == 501 and "other" in values
    used = world.value("SELECT sum(input_tokens)::bigint FROM attempts")
    assert s.sum("quern_tokens_total", kind="input") == used > 0


def test_the_reference_page_is_what_the_program_prints():
    printed = subprocess.run([BIN / "quern-worker", "--metrics"], capture_output=True, check=True,
                             env=environment()).stdout.decode()
    assert printed == (ROOT / "docs/metrics.md").read_text(), \
        "run: build/debug/bin/quern-worker --metrics > docs/metrics.md"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def test_prometheus_scrapes_it(world, metrics):
    metrics(world.start_stub())
    worker = world.start_worker()
    ready(worker)
    target, port = url_of(worker).removeprefix("http://"), free_port()
    config = world.path / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "quern", "static_configs": [{"targets": [target]}]}]}))
    log = open(world.path / "prometheus.log", "wb")
    p = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={world.path}/tsdb",
                          f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def query(q):
        try:
            status, text = get(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(q)}")
        except OSError:
            return None
        found = json.loads(text)["data"]["result"] if status == 200 else None
        return found[0]["value"][1] if found else None

    try:
        world.quern("submit", write_batch(world.path / "in.jsonl", 12), "--job", "j", "--wait")
        wait_until(lambda: query("sum(quern_results_total)") == "12", 30, "12 results in Prometheus")
        assert query("up") == "1"
        assert query("sum(quern_backlog_tasks)") is not None
    finally:
        p.terminate()
        p.wait(20)
        log.close()
