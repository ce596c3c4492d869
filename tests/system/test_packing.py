"""Small tasks that share a call: each has its answer, whatever comes back, and the books add up exactly."""
import decimal
import http.server
import json
import random
import re
import signal
import threading
import time

import pytest

from helpers import request, wait_until, write_lines

pytestmark = pytest.mark.timeout(90)

PRICES = {"models": [{"model": "m", "input": "10", "output": "30"}]}
SYSTEM = "You classify short messages as either complaint or praise. " * 10
ITEM = re.compile(r"\[item (\d+) (\w+)\]\n(.*?)\n\[end \2\]", re.S)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class Packer:
    """Answers packs item by item; `spoil` may change the list of (number, answer). Bills a token for each
    four bytes."""

    def __init__(self):
        self.calls, self.bill, self.spoil, self.delay = [], decimal.Decimal(0), lambda items: items, 0.0
        self.fail, self.lock = 0, threading.Lock()
        self.greedy = self.silent = False
        self.times = []
        packer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = packer.answer(json.loads(raw), len(raw))
                if packer.silent:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, body, size):
        content = body["messages"][-1]["content"]
        items = [(int(n), "re: " + text) for n, _, text in ITEM.findall(content)]
        with self.lock:
            self.calls.append((len(items) or 1, body))
            self.times.append((time.monotonic(), len(items) or 1))
        threading.Event().wait(self.delay)
        with self.lock:
            if self.fail and (len(items) > 1 or "poison" in content):
                self.fail -= len(items) > 1
                return 400 if "poison" in content else 500, b'{"error": {"message": "no", "type": "x"}}'
        said = "re: " + content if not items else "{" + ", ".join(
            a if n is None else f"{json.dumps(str(n))}: {json.dumps(a)}" for n, a in self.spoil(items)) + "}"
        used = size // 4, body["max_tokens"] if self.greedy else len(said) // 4 + 1
        with self.lock:
            self.bill += (used[0] * 10 + used[1] * 30) / decimal.Decimal(10 ** 6)
        return 200, json.dumps({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": f"```json\n{said}\n```" if items else said}}],
            "usage": {"prompt_tokens": used[0], "completion_tokens": used[1],
                      "total_tokens": sum(used)}}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def packer():
    p = Packer()
    yield p
    p.close()


def start(world, packer, **changes):
    rule = {"max_items": 25, "max_wait": "300ms", **changes.pop("rule", {})}
    world.set_up(packer, prices=PRICES, packing={"rules": [rule]}, retry={"attempts": 2, "base_delay": "10ms"},
                 **changes)
    return world.start_worker()


def lines(count, prefix="t", **body):
    out = []
    for i in range(count):
        line = request(f"{prefix}{i}", f"{prefix} message {i} says hello", model="m", max_tokens=50, **body)
        line["body"]["messages"].insert(0, {"role": "system", "content": SYSTEM})
        out.append(line)
    return out


def run(world, job, batch, code=0):
    world.quern("submit", write_lines(world.path / f"{job}.jsonl", batch), "--job", job, "--wait", code=code)
    return world.results(job)


def texts(results):
    return {i: r["response"]["body"]["choices"][0]["message"]["content"] for i, r in results.items()}


def check_books(world, packer):
    assert world.value("SELECT sum(cost_usd) FROM attempts") == packer.bill
    tokens = world.sql("SELECT sum(input_tokens)::bigint, sum(output_tokens)::bigint FROM attempts")[0]
    assert (tokens[0] * 10 + tokens[1] * 30) / decimal.Decimal(10 ** 6) == packer.bill
    world.check_counters()


def test_a_hundred_items_cost_a_fraction(world, packer):
    worker = start(world, packer)
    found = texts(run(world, "packed", lines(100)))
    assert found == {f"t{i}": f"re: t message {i} says hello" for i in range(100)}
    assert len(packer.calls) <= 6 and sum(n for n, _ in packer.calls) == 100
    check_books(world, packer)
    packed, saved = packer.bill, world.value("SELECT sum(usd) FROM savings WHERE kind = 'packed'")
    worker.stop()
    world.configure(packer, prices=PRICES)
    world.start_worker()
    run(world, "alone", lines(100))
    alone = packer.bill - packed
    print(f"100 items: {packed} in {len(packer.calls) - 100} calls, {alone} in 100")
    assert packed < alone * decimal.Decimal("0.35")
    assert abs(saved - (alone - packed)) < (alone - packed) * decimal.Decimal("0.2")


def test_what_is_missing_doubled_or_garbled_goes_alone(world, packer):
    rng = random.Random(5)

    def spoil(items):
        out = []
        for n, a in items:
            kind = rng.randrange(6)
            if kind == 0:
                continue  # dropped
            if kind == 1:
                out += [(n, a), (n, "another")]  # doubled
            elif kind == 2:
                out.append((n, ["no", "text"]))  # garbled
            elif kind == 3:
                out.append((n, "  "))
            else:
                out.append((n, a))
        rng.shuffle(out)
        return out + [(len(items) + 7, "for nobody"), ("x", "y")]

    packer.spoil = spoil
    start(world, packer)
    found = texts(run(world, "spoiled", lines(120)))
    assert found == {f"t{i}": f"re: t message {i} says hello" for i in range(120)}
    alone = [n for n, _ in packer.calls if n == 1]
    assert 20 < len(alone) < 100
    check_books(world, packer)


def test_an_answer_that_cannot_be_read_costs_nobody_a_result(world, packer):
    packer.spoil = lambda items: [(None, "this is no JSON")]
    start(world, packer)
    assert len(texts(run(world, "bad", lines(30)))) == 30
    check_books(world, packer)


def test_a_poisoned_item_hurts_itself_only(world, packer):
    packer.fail = 10 ** 9
    start(world, packer)
    batch = lines(20)
    batch[7]["body"]["messages"][-1]["content"] = "poison"
    packer.fail = 1
    world.quern("submit", write_lines(world.path / "p.jsonl", batch), "--job", "p", "--wait", code=None)
    states = dict(world.sql("SELECT status, count(*)::int FROM results GROUP BY 1"))
    assert states.get("succeeded", 0) >= 19
    check_books(world, packer)


def test_only_the_same_instructions_share_a_call(world, packer):
    start(world, packer)
    batch = lines(5, "a") + lines(5, "b", temperature=0.5) + lines(5, "tool", tools=[{"type": "function"}]) \
        + [{**x, "tenant": "x"} for x in lines(5, "x")] + [{**y, "tenant": "y"} for y in lines(5, "y")]
    run(world, "mixed", batch)
    for _, body in packer.calls:
        found = {prefix for prefix in ("a", "b", "tool", "x", "y")
                 if re.search(rf"(^|\n){prefix} message", body["messages"][-1]["content"])}
        assert len(found) == 1
    sizes = sorted(n for n, _ in packer.calls)
    assert sizes == [1] * 5 + [5] * 4


def test_a_killed_worker_loses_no_item(world, packer):
    packer.delay = 0.5
    worker = start(world, packer)
    world.quern("submit", write_lines(world.path / "k.jsonl", lines(200)), "--job", "k")
    wait_until(lambda: world.rows() > 20, 30, "some results")
    worker.signal(signal.SIGKILL)
    world.start_worker()
    world.wait_rows(200, 60)
    assert len(texts(world.results("k"))) == 200
    assert world.value("SELECT count(*) FROM results WHERE status <> 'succeeded'") == 0


def test_packs_keep_budgets(world, packer):
    world.set_up(packer, prices=PRICES, packing={"rules": [{"max_items": 10, "max_wait": "50ms"}]})
    world.quern("limits", "set", "b", "--budget", "0.05", "--period", "total")
    world.start_worker()
    world.quern("submit", write_lines(world.path / "b.jsonl", lines(150)), "--job", "b", "--wait", code=3)
    spent = world.value("SELECT sum(cost_usd) FROM attempts")
    assert spent == packer.bill <= decimal.Decimal("0.05")
    assert world.value("SELECT sum(pico) FROM limit_spent") == spent * 10 ** 12
    wait_until(lambda: world.value("SELECT count(*) FROM limit_leases") == 0, 10, "nothing is reserved")


def test_a_cancelled_task_does_not_shift_the_answers_of_others(world, packer):
    packer.delay = 3
    start(world, packer, kafka={"partitions": 1}, worker={"concurrency": 1}, rule={"max_wait": "1s"})
    for job in "ABC":
        world.quern("submit", write_lines(world.path / f"{job}.jsonl", lines(2, job)), "--job", job)
    wait_until(lambda: packer.calls, 20, "the call of all")
    assert packer.calls[0][0] == 6
    world.quern("cancel", "B")
    world.wait_rows(6)
    for job in "AC":
        assert texts(world.results(job)) == {f"{job}{i}": f"re: {job} message {i} says hello" for i in range(2)}
    assert {r for (r,) in world.sql("SELECT status FROM results WHERE custom_id LIKE 'B%'")} == {"cancelled"}
    assert world.value("SELECT sum(cost_usd) FROM attempts") == packer.bill, "its part is in its books"


def test_what_is_not_the_same_is_not_shared(world, packer):
    start(world, packer, kafka={"partitions": 1})
    batch = lines(2, "a", user="ann", store=True) + lines(2, "b", user="bob", store=False) + lines(2, "c")
    batch[-1]["body"]["messages"][-1]["name"] = "zoe"
    run(world, "job", batch)
    shared = [body for count, body in packer.calls if count > 1]
    assert {(b.get("user"), b.get("store")) for b in shared} == {("ann", True), ("bob", False)}
    assert not any("user" in b for c, b in packer.calls if "c message" in b["messages"][-1]["content"])
    assert [b["messages"][-1].get("name") for c, b in packer.calls if "c message 1" in b["messages"][-1]["content"]
            ] == ["zoe"]


def test_packs_keep_to_budgets(world, packer):
    """Whatever max_tokens the call is given is used and billed to the last."""
    packer.greedy = True
    start(world, packer, kafka={"partitions": 1}, rule={"max_items": 10})
    world.quern("limits", "set", "b", "--budget", "0.2", "--period", "total")
    threading.Event().wait(1.5)
    world.quern("submit", write_lines(world.path / "j.jsonl", lines(150)), "--job", "j", "--wait", code=3)
    assert any(count > 1 for count, _ in packer.calls)
    assert decimal.Decimal("0.1") < packer.bill <= decimal.Decimal("0.2")
    assert world.value("SELECT sum(cost_usd) FROM attempts") == packer.bill


def test_a_pack_of_unknown_cost_counts_with_all_its_bounds(world, packer):
    packer.silent = True
    start(world, packer, kafka={"partitions": 1}, rule={"max_items": 10})
    world.quern("limits", "set", "b", "--budget", "5", "--period", "total")
    threading.Event().wait(1.5)
    world.quern("submit", write_lines(world.path / "j.jsonl", lines(10)), "--job", "j")
    wait_until(lambda: packer.calls, 20, "the call")
    packer.silent = False
    world.wait_rows(10)
    one = 10 * 600 + 30 * 50  # at least: bytes of a body and its max_tokens, in millionths
    assert world.value("SELECT sum(pico) FROM limit_charges") / 10 ** 6 > 10 * one


def test_permits_are_taken_when_the_pack_is_called(world, packer):
    """No more than 30 tasks in any second, though packs wait for others almost as long."""
    start(world, packer, kafka={"partitions": 1}, rule={"max_items": 20, "max_wait": "900ms"})
    world.quern("limits", "set", "r", "--requests", 30, "--window", "1s")
    threading.Event().wait(1.5)
    for i in range(6):
        world.quern("submit", write_lines(world.path / f"{i}.jsonl", lines(19, f"x{i}-")), "--job", str(i))
        threading.Event().wait(0.3)
    world.wait_rows(6 * 19)
    for at, _ in packer.times:
        assert sum(n for t, n in packer.times if at <= t < at + 0.99) <= 30
