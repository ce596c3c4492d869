"""Rules choose the candidates; what is sensitive goes to private backends only."""
import json
import time

import pytest

from helpers import MODEL, request, wait_until, write_lines
from test_dialects import run

pytestmark = pytest.mark.timeout(60)

TEXT = "Summarize: A text that is long enough to be summarized."
LONG = "Summarize: " + "word " * 1000


def rule(backend, name="*", **when):
    return {"name": name, "when": when, "candidates": [{"backend": backend}]}


def set_up(world, *models, stub=None):
    stub = stub or world.start_stub()
    names = sorted({c["backend"] for m in models for c in m["candidates"]})
    world.set_up(stub, models=list(models), retry={"attempts": 0}, backends=[
        {"name": n, "base_url": stub.url, "private": n.startswith("own")} for n in names])
    world.start_worker()
    return stub


def backends(world):
    return dict(world.sql("SELECT custom_id, backend FROM results"))


def test_the_first_rule_that_fits_decides(world):
    set_up(world, rule("cheap", complexity="simple"), rule("long", input_min=1000),
           rule("other", name="not-*"), rule("rest"))
    run(world, [request("simple", TEXT), request("long", LONG),
                {**request("said", LONG), "complexity": "simple"},
                {**request("hard", TEXT), "complexity": "complex"},
                request("name", LONG[:2500], model="not-this")])
    assert backends(world) == {"simple": "cheap", "long": "long", "said": "cheap", "hard": "rest",
                               "name": "other"}


def test_tenant_feature_and_lane(world):
    set_up(world, rule("a", tenant="acme*", feature="chat"), rule("b", lane="high"), rule("c"))
    path = world.path / "in.jsonl"
    path.write_text(json.dumps(request("x", TEXT)) + "\n")
    for job, options in {"a": ["--tenant", "acme1", "--feature", "chat"], "b": ["--priority", "high"],
                         "c": ["--tenant", "acme1"]}.items():
        world.quern("submit", path, "--job", job, "--wait", *options)
    assert world.sql("SELECT j.name, r.backend FROM results r JOIN jobs j ON j.id = r.job_id "
                     "ORDER BY 1") == [("a", "a"), ("b", "b"), ("c", "c")]


def test_a_line_says_its_own_tenant_and_feature(world):
    set_up(world, rule("a", tenant="acme", feature="chat"), rule("c"))
    lines = [{**request("own", TEXT), "tenant": "acme", "feature": "chat", "user": "u1"},
             {**request("null", TEXT), "tenant": None}, request("none", TEXT)]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "j", "--wait",
                "--tenant", "others", "--feature", "chat")
    assert world.sql("SELECT custom_id, backend, tenant FROM results ORDER BY 1") == [
        ("none", "c", "others"), ("null", "c", "others"), ("own", "a", "acme")]


def test_a_share_of_the_traffic(world):
    set_up(world, rule("few", percent=20), rule("rest"))
    run(world, [request(str(i), TEXT) for i in range(1000)])
    share = world.value("SELECT count(*) FROM results WHERE backend = 'few'")
    assert 150 < share < 250


def test_sensitive_tasks_go_to_private_backends_only_and_never_fall_back_to_others(world):
    both = {"name": "both", "candidates": [{"backend": "paid"}, {"backend": "own"}, {"backend": "paid2"}]}
    stub = set_up(world, both, {"name": "*", "candidates": [{"backend": "paid"}]})
    good = {**request("good", TEXT, model="both"), "sensitive": True}
    bad = {**request("bad", TEXT + " [[stub:401]]", model="both"), "sensitive": True}
    none = {**request("none", TEXT), "sensitive": True}
    result = run(world, [good, bad, none, request("open", TEXT, model="both")], 3)
    assert dict(world.sql("SELECT custom_id, string_agg(backend, ',') FROM attempts GROUP BY 1")) == {
        "good": "own", "bad": "own", "open": "paid"}
    assert result["none"]["error"]["code"] == "invalid_request"
    assert "sensitive" in result["none"]["error"]["message"]
    assert stub.total() == 3
    path = world.path / "plain.jsonl"
    path.write_text(json.dumps(request("z", TEXT)) + "\n")
    world.quern("submit", path, "--job", "all", "--sensitive", "--wait", code=3)
    assert stub.total() == 3, "a whole job can be sensitive"


def test_route_explains(world):
    set_up(world, rule("a", tenant="acme"), rule("b", complexity="complex"),
           {"name": MODEL, "candidates": [{"backend": "c"}, {"backend": "own"}]})
    task = json.dumps({**request("x", TEXT), "sensitive": True})
    out = world.quern("route", "--explain", task).out
    for part in ("does not fit: tenant", "does not fit: complexity", "simple (estimated)", "fits",
                 "passed over: c", "candidate: own"):
        assert part in out, out
    assert world.quern("route", "-", stdin=task.encode()).out == f"own {MODEL}\n"
    assert "no rule" in world.quern("route", json.dumps(request("x", TEXT, model="zzz")), code=1).err
    assert "body is missing" in world.quern("route", "{}", code=2).err


def test_the_cheapest_of_equals_comes_first(world):
    """Prices decide, whatever the list's order; what has no price comes last."""
    prices = {"models": [{"model": "dear", "input": 10, "output": 10}, {"model": "cheap", "input": 1, "output": 1}]}
    stub = world.start_stub()
    names = ["unknown", "dear", "cheap"]
    world.set_up(stub, prices=prices, retry={"attempts": 0},
                 backends=[{"name": n, "base_url": stub.url} for n in names],
                 models=[{"name": name, "order": order, "candidates": [{"backend": n, "model": n} for n in names]}
                         for name, order in (("equal", "cheapest"), ("listed", "listed"))])
    world.start_worker()
    tasks = {m: json.dumps(request("x", TEXT, model=m)) for m in ("equal", "listed")}
    assert world.quern("route", tasks["equal"]).out.split()[::2] == ["cheap", "dear", "unknown"]
    assert world.quern("route", tasks["listed"]).out.split()[::2] == names
    run(world, [request("equal", TEXT, model="equal"), request("listed", TEXT, model="listed"),
                request("failed", TEXT + " [[stub:400:1]]", model="equal")], None)
    rows = world.sql("SELECT custom_id, string_agg(backend, ' ' ORDER BY attempt) FROM attempts GROUP BY 1")
    assert dict(rows)["equal"] == "cheap" and dict(rows)["listed"] == "unknown"


def test_from_a_volume_of_the_day_on_another_rule_holds(world):
    after = {"name": MODEL, "when": {"day_requests": 10}, "candidates": [{"backend": "later"}]}
    costly = {"name": "other", "when": {"day_cost": "0.000001"}, "candidates": [{"backend": "later"}]}
    set_up(world, after, costly, rule("first"))
    first = [request(f"a{i}", TEXT) for i in range(10)] + [request("b0", TEXT, model="other")]
    run(world, first)
    rows = world.sql("SELECT asked, sum(attempts)::int, sum(input_tokens)::int FROM attempt_counts "
                     "WHERE error_type IS NULL GROUP BY 1 ORDER BY 1")
    assert [r[:2] for r in rows] == [(MODEL, 10), ("other", 1)] and all(r[2] > 0 for r in rows)
    assert set(backends(world).values()) == {"first"}
    wait_until(lambda: world.quern("route", json.dumps(request("x", TEXT))).out.startswith("later"), 5)
    explained = world.quern("route", "--explain", json.dumps(request("x", TEXT, model="other"))).out
    assert "does not fit: volume of the day" in explained and "today 1 requests" in explained
    time.sleep(2.5)  # two looks of the worker
    path = write_lines(world.path / "more.jsonl", [request("c", TEXT), request("d", TEXT, model="other")])
    world.quern("submit", path, "--job", "more", "--wait")
    assert {k: v for k, v in backends(world).items() if k in "cd"} == {"c": "later", "d": "first"}


def test_calls_are_counted_by_backend_model_and_what_they_came_to(world):
    set_up(world, rule("a", name="a-*"), rule("b"))
    run(world, [request("1", TEXT, model="a-x"), request("2", TEXT + " [[stub:401]]", model="a-x"),
                request("3", TEXT), request("4", TEXT + " [[stub:500]]")], 3)
    rows = world.sql("SELECT backend, model, error_type, attempts FROM attempt_counts ORDER BY 1, 3 NULLS FIRST")
    assert rows == [("a", "a-x", None, 1), ("a", "a-x", "auth", 1), ("b", MODEL, None, 1), ("b", MODEL, "api_error", 1)]
    total = world.sql("SELECT sum(attempts), sum(cost_usd), sum(input_tokens) FROM attempt_counts")
    assert total == world.sql("SELECT count(*), sum(cost_usd), sum(input_tokens) FROM attempts")
