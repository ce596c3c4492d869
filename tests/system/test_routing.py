"""Rules choose the candidates; what is sensitive goes to private backends only."""
import json

import pytest

from helpers import MODEL, request
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
