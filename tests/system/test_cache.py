"""Answers used again: kept ones, and those of the same request in flight."""
import collections
import json

import pytest

from helpers import request, wait_until, write_batch, write_lines

pytestmark = pytest.mark.timeout(90)

RULES = {"rules": [{"when": {"feature": "fresh*"}, "never": True},
                   {"when": {"feature": "common"}, "ttl": "1h", "scope": "shared"},
                   {"ttl": "1h", "max_temperature": 0.5}]}


def ask(custom_id, prompt, temperature=0, **options):
    line = request(custom_id, prompt, temperature=temperature)
    return {**line, **options}


def submit(world, job, lines, *args):
    world.quern("submit", write_lines(world.path / f"{job}.jsonl", lines), "--job", job, "--wait", *args)
    return world.results(job)


def marks(results):
    return {i: next((m for m in ("cached", "shared") if x.get(m)), None) for i, x in results.items()}


def savings(world):
    return dict(world.sql("SELECT kind, count(*)::int FROM savings GROUP BY 1"))


def test_the_same_request_is_paid_once(world):
    stub = world.start_stub()
    world.set_up(stub, cache=RULES)
    world.start_worker()
    first = submit(world, "one", [ask("a", "What is Kafka?")])
    again = {"body": {"temperature": 0.0, "messages": [{"content": "What is Kafka?", "role": "user"}],
                      "model": first["a"]["response"]["body"]["model"], "user": "somebody", "stream": True}}
    second = submit(world, "two", [ask("b", "What is Kafka?"), {**ask("c", ""), **again},
                                   ask("d", "What is PostgreSQL?")])
    assert marks(second) == {"b": "cached", "c": "cached", "d": None}
    assert stub.calls() == {"What is Kafka?": 1, "What is PostgreSQL?": 1}
    answer = first["a"]["response"]["body"]
    assert second["b"]["response"]["body"] == second["c"]["response"]["body"] == answer
    job = world.status("one")["id"]
    assert second["b"]["answer_of"] == f"{job}/a"
    cost = world.value("SELECT cost_usd FROM attempts WHERE custom_id = 'a'")
    rows = world.sql("SELECT r.attempts, r.cost_usd, r.tokens, s.usd, s.kind FROM results r JOIN savings s"
                     " USING (job_id, custom_id) ORDER BY custom_id")
    assert rows == [(0, 0, 0, cost, "cached")] * 2 and cost > 0
    world.check_counters()


def test_an_answer_is_its_tenants_own(world):
    stub = world.start_stub()
    world.set_up(stub, cache=RULES)
    world.start_worker()
    lines = [ask("none", "Secret?"), ask("acme", "Secret?", tenant="acme"), ask("two", "Secret?", tenant="two")]
    for i in range(3):
        found = marks(submit(world, f"job{i}", lines))
        assert set(found.values()) == ({None} if i == 0 else {"cached"})
    assert stub.calls() == {"Secret?": 3}
    common = [ask(f"c{i}", "Common?", tenant=f"t{i}", feature="common") for i in range(3)]
    submit(world, "common", common)
    assert stub.calls()["Common?"] == 1
    # the rule of one feature is no way into what another keeps
    assert marks(submit(world, "other", [ask("x", "Common?", tenant="t0")])) == {"x": None}


def test_what_must_be_called_is(world):
    stub = world.start_stub()
    world.set_up(stub, cache=RULES)
    world.start_worker()
    lines = [ask("never", "never", feature="fresh-news"), ask("hot", "hot", temperature=0.9),
             ask("no", "no", cache=False), ask("unsaid", "unsaid")]
    del lines[3]["body"]["temperature"]
    for i in range(2):
        assert set(marks(submit(world, f"job{i}", lines)).values()) == {None}
    assert stub.calls() == {"never": 2, "hot": 2, "no": 2, "unsaid": 2}
    assert world.value("SELECT count(*) FROM cache") == 0


def test_failures_are_not_kept_and_leave_no_lease(world):
    stub = world.start_stub()
    world.set_up(stub, cache=RULES, retry={"attempts": 0})
    world.start_worker()
    for i in range(2):
        world.quern("submit", write_lines(world.path / f"f{i}.jsonl", [ask("f", "[[stub:400]]")]), "--job",
                    f"f{i}", "--wait", code=3)
    assert stub.total() == 2
    assert world.value("SELECT count(*) FROM cache") == 0
    assert world.value("SELECT count(*) FROM cache_leases") == 0


def test_requests_in_flight_are_called_once(world):
    """600 tasks of 20 requests, all at once, over two workers: 20 calls."""
    stub = world.start_stub("--latency", "0.5")
    world.set_up(stub, cache=RULES)
    workers = [world.start_worker() for _ in range(2)]
    wait_until(lambda: all(w.assigned()["normal"] for w in workers), what="both workers' share")
    lines = [ask(f"t{i}", f"Question {i % 20}?") for i in range(600)]
    results = submit(world, "many", lines)
    assert stub.total() == 20 and stub.repeated() == {}
    found = collections.Counter(marks(results).values())
    assert found[None] == 20 and found["shared"] > 0, found
    assert sum(savings(world).values()) == 580
    texts = {x["response"]["body"]["choices"][0]["message"]["content"] for x in results.values()}
    assert len(texts) <= 20
    spent, saved = world.value("SELECT sum(cost_usd) FROM attempts"), world.value("SELECT sum(usd) FROM savings")
    assert saved == spent / 20 * 580
    assert world.value("SELECT count(*) FROM cache_leases WHERE owner <> ''") == 0
    world.check_counters()


def test_when_the_shared_call_fails_each_decides_anew(world):
    """The first call of the prompt fails for good; one of the others has the next, for all."""
    stub = world.start_stub("--latency", "0.3")
    world.set_up(stub, cache=RULES, retry={"attempts": 0})
    world.start_worker()
    lines = [ask(f"t{i}", "Again? [[stub:400:1]]") for i in range(10)]
    world.quern("submit", write_lines(world.path / "f.jsonl", lines), "--job", "f", "--wait", code=3)
    states = dict(world.sql("SELECT status, count(*)::int FROM results GROUP BY 1"))
    assert states == {"failed": 1, "succeeded": 9}
    assert stub.total() == 2


def test_a_lost_worker_holds_nobody_up(world):
    stub = world.start_stub("--latency", "2")
    world.set_up(stub, cache={**RULES, "lease": "2s"})
    lost = world.start_worker()
    world.quern("submit", write_lines(world.path / "l.jsonl", [ask("l", "Lost?")]), "--job", "lost")
    wait_until(lambda: stub.total() == 1, what="the first call")
    lost.kill()
    world.start_worker()
    world.wait_rows(1, 40)
    assert marks(world.results("lost")) == {"l": None}


def test_a_higher_lane_does_not_wait_for_a_lower_ones_turn(world):
    """One place for calls: a low task has leased its request, and waits for its turn."""
    stub = world.start_stub("--latency", "1")
    world.set_up(stub, cache=RULES, worker={"concurrency": 1})
    world.start_worker()
    lines = [ask(f"low{i}", f"Low {i}?") for i in range(30)]
    world.quern("submit", write_lines(world.path / "low.jsonl", lines), "--job", "low", "-p", "low")
    wait_until(lambda: stub.total() > 0, what="the first call")
    results = submit(world, "high", [ask("high", "Low 29?")], "-p", "high")
    assert marks(results) == {"high": None}
    assert world.rows() < 10
    wait_until(lambda: any(i == "low29" for (i,) in world.sql("SELECT custom_id FROM results")), 10)
    assert world.value("SELECT source FROM results WHERE custom_id = 'low29'") == "shared"


def test_the_cache_stays_within_its_size(world):
    world.set_up(cache=RULES)
    world.sql("INSERT INTO cache SELECT sha256(i::text::bytea), NULL, 'm', 'b', 'm', repeat('x', 1000), 1000, 'a/b',"
              " 1, 0, 1, 0, 0, now() - make_interval(secs => i),"
              " now() + CASE WHEN i > 900 THEN interval '-1 s' ELSE interval '1 h' END"
              " FROM generate_series(1, 1000) i RETURNING 1")
    assert world.value("SELECT cache_trim(500000)") > 400
    assert world.value("SELECT sum(bytes) FROM cache") <= 500000
    assert world.value("SELECT count(*) FROM cache") >= 450
    # the newest are those that stay
    assert world.value("SELECT max(now() - created_at) FROM cache") < world.value("SELECT interval '501 s'")


def test_without_rules_nothing_is_asked_or_kept(world):
    stub = world.start_stub()
    world.set_up(stub)
    world.start_worker()
    world.quern("submit", write_batch(world.path / "b.jsonl", 10, text="Same?"), "--job", "b", "--wait")
    assert stub.total() == 10
    assert world.value("SELECT count(*) FROM cache") == 0 and savings(world) == {}
    assert "cached" not in json.dumps(world.results("b"))


def test_rules_do_not_mix(world):
    """An answer is as fresh as the reader's own rule says, and to a prompt treated as its own is."""
    stub = world.start_stub()
    world.set_up(stub, cache={"rules": [{"when": {"feature": "news"}, "ttl": "2s"}, {"ttl": "24h"}]},
                 compress={"rules": [{"when": {"feature": "short"}, "max_tokens": 10}]})
    world.start_worker()
    long = "One sentence here. " * 20
    submit(world, "old", [ask("a", "Weather?"), ask("b", long, feature="short")])
    wait_until(lambda: world.value("SELECT now() - min(created_at) > interval '3 s' FROM cache"), 10, "age")
    found = marks(submit(world, "new", [ask("a", "Weather?", feature="news"), ask("b", long),
                                        ask("c", "Weather?", feature="faq")]))
    assert found == {"a": None, "b": None, "c": "cached"}
    assert marks(submit(world, "again", [ask("a", "Weather?", feature="news"), ask("b", long)])
                 ) == {"a": "cached", "b": "cached"}
