"""Limits of the database: rates, concurrency, pending tasks, budgets; over all workers."""
import decimal
import http.server
import json
import signal
import threading
import time

import pytest

from helpers import request, wait_until, write_lines

pytestmark = pytest.mark.timeout(120)

PRICES = {"models": [{"model": "priced", "input": "10", "output": "30"}]}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # else a burst of connections waits a second for the next SYN


class Service:
    """Counts every call: when it came, for whom (the prompt's first word), how many at a time. An answer
    uses `used` tokens of input and output."""

    def __init__(self, latency=0.0, used=(40, 10)):
        self.calls, self.latency, self.used = [], latency, used
        self.lock, self.busy, self.most = threading.Lock(), {}, {}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                at = time.monotonic()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = service.answer(at, body)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, at, body):
        who = body["messages"][-1]["content"].split()[0]
        with self.lock:
            self.calls.append((at, who))
            self.busy[who] = self.busy.get(who, 0) + 1
            self.most[who] = max(self.most.get(who, 0), self.busy[who])
        time.sleep(self.latency)
        with self.lock:
            self.busy[who] -= 1
        return json.dumps({
            "id": "c", "object": "chat.completion", "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "ok"}}],
            "usage": {"prompt_tokens": self.used[0], "completion_tokens": self.used[1],
                      "total_tokens": sum(self.used)}}).encode()

    def times(self, who):
        return sorted(at for at, w in self.calls if w == who)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service():
    s = Service()
    yield s
    s.close()


def start(world, service, workers=1, **changes):
    world.set_up(service, prices=PRICES, **changes)
    return [world.start_worker() for _ in range(workers)]


def limit(world, name, *args, **kwargs):
    return world.quern("limits", "set", name, *args, **kwargs)


def lines(who, count, **options):
    return [{**request(f"{who}-{i}", f"{who} {i}", model="priced", max_tokens=20), **options}
            for i in range(count)]


def submit(world, job, batch, *args, **kwargs):
    path = write_lines(world.path / f"{job}.jsonl", batch)
    return world.quern("submit", path, "--job", job, *args, **kwargs)


def most_in_a_window(times, window):
    """The most calls in any window of this length."""
    most, first = 0, 0
    for i, at in enumerate(times):
        while at - times[first] > window:
            first += 1
        most = max(most, i - first + 1)
    return most


def test_a_rate_is_kept_in_every_window_and_used(world, service):
    """40 calls in 2 s, for each user, over two workers; 400 tasks of two users."""
    start(world, service, workers=2)
    limit(world, "per-user", "--requests", 40, "--window", "2s", "--per", "user")
    time.sleep(2.5)
    began = time.monotonic()
    submit(world, "job", lines("ann", 200, user="ann") + lines("bob", 200, user="bob")
           + lines("eve", 20, user="eve"), "--wait")
    took = time.monotonic() - began
    for who in ("ann", "bob"):
        times = service.times(who)
        assert len(times) == 200
        assert most_in_a_window(times, 1.98) <= 40
        # 40 at once, and then 40 every 2 s: at least 95 % of what is allowed
        assert times[-1] - times[0] <= 4 * 2 / 0.95, times[-1] - times[0]
    assert took > 8
    eve = service.times("eve")
    assert eve[-1] - eve[0] < 1.0, "who has not used up the limit waits for nobody"


def test_what_waits_for_a_limit_starves_nobody(world, service):
    """A user with a thousand tasks and two calls a second; the worker has room for 200 tasks."""
    start(world, service, worker={"concurrency": 4, "queue_tasks": 200})
    limit(world, "slow", "--requests", 2, "--window", "1s", "--user", "slow")
    time.sleep(1.5)
    submit(world, "slow", lines("slow", 1000, user="slow"))
    wait_until(lambda: len(service.times("slow")) >= 2, what="the first calls")
    began = time.monotonic()
    submit(world, "others", lines("other", 300, user="other"), "--wait")
    assert time.monotonic() - began < 20
    assert len(service.times("other")) == 300
    assert most_in_a_window(service.times("slow"), 0.98) <= 2


def test_a_job_that_passes_a_limit_is_refused_whole(world, service):
    start(world, service)
    limit(world, "per-user", "--requests", 10, "--window", "3s", "--per", "user", "--on-limit", "reject")
    submit(world, "one", lines("ann", 8), "--user", "ann", "--wait")
    refused = submit(world, "two", lines("ann", 5), "--user", "ann", code=5)
    assert 'limit "per-user" (10 requests in 3s, user "ann"): 8 are in use and this job has 5: ' \
        "try again in" in refused.err and "nothing was sent" in refused.err
    assert world.value("SELECT count(*) FROM jobs WHERE name = 'two'") == 0
    assert len(service.calls) == 8
    submit(world, "bob", lines("bob", 10), "--user", "bob")
    submit(world, "one", lines("ann", 8), "--user", "ann", "--wait")  # again: it was let in
    never = submit(world, "big", lines("eve", 11), "--user", "eve", code=5)
    assert "submit it in parts" in never.err
    wait_until(lambda: submit(world, "two", lines("ann", 5), "--user", "ann", code=None).returncode == 0,
               10, "room for the second job", every=0.3)
    # a job with several users is let in by all of their limits or by none
    mixed = lines("kim", 3, user="kim") + lines("zoe", 11, user="zoe")
    submit(world, "mixed", mixed, code=5)
    submit(world, "kim", lines("kim", 10, user="kim"))


def test_pending_tasks_are_limited(world, service):
    world.set_up(service, prices=PRICES)
    limit(world, "backlog", "--pending", 20, "--per", "tenant")
    submit(world, "one", lines("t", 15), "--tenant", "t")
    refused = submit(world, "two", lines("t", 6), "--tenant", "t", code=5)
    assert "20 pending tasks" in refused.err and "15 are in use" in refused.err
    submit(world, "other", lines("u", 20), "--tenant", "u")
    world.start_worker()
    world.wait_rows(35)
    submit(world, "two", lines("t", 6), "--tenant", "t", "--wait")


def test_concurrency_is_kept_over_workers(world, service):
    service.latency = 0.05
    start(world, service, workers=3)
    limit(world, "few", "--concurrency", 5, "--per", "tenant")
    time.sleep(2)
    submit(world, "job", lines("acme", 300, tenant="acme") + lines("free", 100, tenant="free"), "--wait")
    assert service.most["acme"] == 5 and service.most["free"] == 5
    wait_until(lambda: world.value("SELECT count(*) FROM limit_leases") == 0, 10, "all shares are back")


def test_tokens_a_minute(world, service):
    """Each call takes 50 tokens; 1,000 in 2 s are 20 calls."""
    start(world, service)
    limit(world, "tokens", "--tokens", 1000, "--window", "2s", "--per", "tenant")
    time.sleep(1.5)
    submit(world, "job", lines("acme", 120, tenant="acme"), "--wait")
    times = service.times("acme")
    assert most_in_a_window(times, 1.98) <= 20
    assert times[-1] - times[0] < 18


def spent(world, where="true"):
    return world.value(f"SELECT coalesce(sum(cost_usd), 0) FROM attempts WHERE {where}")


@pytest.mark.timeout(300)
def test_a_budget_is_never_exceeded(world, service):
    """Eight workers, three of them killed, race for a budget of 100 calls; what is left fails, and can be
    replayed when the budget is raised."""
    service.latency = 0.1
    workers = start(world, service, workers=8, kafka={"partitions": 8}, worker={"concurrency": 4})
    cost = decimal.Decimal("0.0007")  # 40 * 10 + 10 * 30 dollars a million
    limit(world, "acme", "--budget", "0.07", "--period", "total", "--per", "tenant", "--warn", "50,90")
    time.sleep(1.5)
    submit(world, "job", lines("acme", 300, tenant="acme"))
    for i, count in enumerate((10, 30, 50)):
        # what a killed worker had reserved comes back after 30 s
        wait_until(lambda n=count: world.rows() >= n, 60, "some results")
        workers[i].signal(signal.SIGKILL)
    world.wait_rows(300, 120)
    total = spent(world)
    states = dict(world.sql("SELECT status, count(*)::int FROM results GROUP BY 1"))
    assert total <= decimal.Decimal("0.07")
    assert states["succeeded"] * cost == total
    assert total > decimal.Decimal("0.06"), "the reserve for one call is all that may be left"
    assert world.value("SELECT sum(pico) FROM limit_spent") == total * 10 ** 12
    assert {"budget_exceeded"} == {x for (x,) in world.sql("SELECT reason FROM dead_letters")}
    wait_until(lambda: world.value("SELECT count(*) FROM limit_leases WHERE until > now()") == 0, 40,
               "nothing is reserved")
    told = [(w["limit"], w["subject"], w["percent"]) for p in workers
            for w in p.events("a budget is used up to a percentage that it warns at")]
    assert sorted(told) == [("acme", "acme", 50), ("acme", "acme", 90)]
    error = world.value("SELECT error FROM dead_letters LIMIT 1")
    assert 'budget "acme" (tenant "acme"): $0.0' in error and "of $0.070000 are spent" in error
    limit(world, "acme", "--budget", "1", "--period", "total", "--per", "tenant")
    time.sleep(1.5)
    world.quern("retry", "job", "--failed", "--wait")
    assert spent(world) == 300 * cost
    usage = json.loads(world.quern("limits", "usage", "-o", "json").out)
    assert decimal.Decimal(usage[0]["used"]) == 300 * cost and usage[0]["subject"] == "acme"


def test_a_budget_can_park_until_it_is_raised(world, service):
    start(world, service)
    limit(world, "b", "--budget", "0.07", "--period", "day", "--on-limit", "park")
    time.sleep(1.5)
    submit(world, "job", lines("a", 120))
    wait_until(lambda: world.value("SELECT count(*) FROM parked") > 0, 30, "parked tasks")
    assert spent(world) <= decimal.Decimal("0.07")
    world.sql("UPDATE limits SET amount = 5 RETURNING 1")
    world.wait_rows(120, 100)
    assert {s for (s,) in world.sql("SELECT status FROM results")} == {"succeeded"}


def midnight_in(seconds):
    """A time zone (POSIX: its sign is turned) in which the day ends so soon."""
    behind = (86400 - (int(time.time()) + seconds) % 86400) % 86400  # to be added to UTC
    if behind > 43200:
        behind -= 86400
    sign, away = ("-", behind) if behind >= 0 else ("+", -behind)
    return f"<X>{sign}{away // 3600:02}:{away % 3600 // 60:02}:{away % 60:02}"


def test_a_period_turns_under_load(world, service):
    """Calls are counted in the day in which they began; what the first day has no money for waits for the second,
    which has all of its own again."""
    service.latency = 0.3
    start(world, service, workers=3, worker={"concurrency": 8}, limits={"time_zone": midnight_in(14)})
    limit(world, "b", "--budget", "0.035", "--period", "day", "--on-limit", "park")  # 50 calls
    time.sleep(1.5)
    submit(world, "job", lines("a", 90))
    wait_until(lambda: world.value("SELECT count(DISTINCT period) FROM limit_spent") == 2, 60, "a new day")
    world.wait_rows(90, 100)
    days = dict(world.sql("SELECT period, sum(pico) / 1e12 FROM limit_spent GROUP BY 1 ORDER BY 1"))
    assert len(days) == 2 and all(spent <= decimal.Decimal("0.035") for spent in days.values())
    assert sum(days.values()) == spent(world) == 90 * decimal.Decimal("0.0007")
    first, second = sorted(days)
    began = dict(world.sql("SELECT started_at >= %s, sum(cost_usd) FROM attempts GROUP BY 1", second))
    # A call at the very turn may be counted in either day: workers and PostgreSQL read their clocks apart.
    assert abs(began[True] - days[second]) <= 3 * decimal.Decimal("0.0007")
    assert days[first] > decimal.Decimal("0.03") and {"succeeded"} == {x for (x,) in world.sql("SELECT status FROM results")}


def test_a_warning_is_told_to_a_webhook_once_and_signed(world, service, tmp_path):
    import base64
    import hashlib
    import hmac
    got = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    hook = Server(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, args=(0.05,), daemon=True).start()
    key = b"a key of twenty-four bytes"
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + base64.b64encode(key).decode() + "\n")
    start(world, service, workers=2, limits={"webhook": {"url": f"http://127.0.0.1:{hook.server_port}/w",
                                                         "secret_file": str(secret)}})
    limit(world, "b", "--budget", "0.1", "--period", "month", "--per", "feature")
    time.sleep(1.5)
    submit(world, "job", lines("a", 120), "--feature", "chat", "--wait")
    wait_until(lambda: len(got) == 1, 20, "the warning of 80 %")
    headers, body = got[0]
    headers = {k.lower(): v for k, v in headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{want}"
    data = json.loads(body)
    assert data["type"] == "quern.budget.warning"
    assert data["data"]["limit"] == "b" and data["data"]["subject"] == "chat" and data["data"]["percent"] == 80
    assert decimal.Decimal(data["data"]["spent_usd"]) >= decimal.Decimal("0.08")
    wait_until(lambda: world.value("SELECT count(*) FROM limit_warnings WHERE delivered_at IS NULL") == 0, 10)
    time.sleep(2)
    assert len(got) == 1
    hook.shutdown()
    hook.server_close()


def test_a_model_without_a_price_has_no_budget(world, service):
    start(world, service)
    limit(world, "b", "--budget", "1", "--period", "total")
    time.sleep(1.5)
    batch = [request("u", "a b", model="nobody-knows")]
    submit(world, "job", batch, "--wait", code=3)
    assert world.value("SELECT reason FROM dead_letters") == "budget_unpriced"
    assert service.calls == []


def test_limits_are_listed_changed_and_audited(world):
    world.set_up()
    limit(world, "a", "--requests", 10, "--window", "1m", "--per", "user")
    limit(world, "a", "--requests", 20, "--window", "1m", "--per", "user")
    world.sql("UPDATE limits SET amount = 30 WHERE name = 'a' RETURNING 1")
    rows = json.loads(world.quern("limits", "list", "-o", "json").out)
    assert rows[0]["amount"] == "30" and rows[0]["per"] == "user"
    world.quern("limits", "remove", "a")
    assert "there is no limit" in world.quern("limits", "remove", "a", code=2).err
    history = json.loads(world.quern("limits", "history", "-o", "json").out)
    assert [h["action"] for h in history] == ["removed", "changed", "changed", "set"]
    assert "amount: 20 -> 30" in history[1]["what"]
    for args in (["--requests", "10"], ["--budget", "1", "--window", "1m"], ["--requests", "x", "--window", "1m"],
                 ["--requests", "1.5", "--window", "1m"], ["--concurrency", "-1"], [], ["--tokens", 1, "--budget", 1],
                 ["--budget", "1", "--period", "day", "--on-limit", "reject"]):
        limit(world, "bad", *args, code=2)


def test_other_limits_go_on_when_one_changes(world, service):
    start(world, service)
    limit(world, "budget", "--budget", "0.02", "--period", "total")  # 28 calls
    limit(world, "rate", "--requests", 5, "--window", "4s")
    time.sleep(1.5)
    submit(world, "job", lines("acme", 100, tenant="acme"))
    wait_until(lambda: service.calls, 10, "the first calls")
    for i in range(3):
        limit(world, "unrelated", "--requests", 5 + i, "--window", "1m", "--tenant", "nobody")
        time.sleep(1.5)
    assert len(service.calls) <= 10
    world.quern("limits", "remove", "rate")
    world.wait_rows(100)
    assert spent(world) <= decimal.Decimal("0.02")


def test_a_limit_that_becomes_another_holds_at_once(world, service):
    service.latency = 8
    start(world, service)
    limit(world, "acme", "--budget", "5", "--period", "day", "--per", "tenant")
    time.sleep(1.5)
    submit(world, "one", lines("acme", 1, tenant="acme"))
    wait_until(lambda: service.calls, 10, "a long call")
    service.latency = 0
    limit(world, "acme", "--budget", "0.001", "--period", "month", "--per", "tenant")
    time.sleep(3)
    submit(world, "two", lines("acme", 50, tenant="acme"), "--wait", code=3)
    world.wait_rows(51)
    assert world.value("SELECT count(*) FROM results WHERE status = 'succeeded'") <= 2
