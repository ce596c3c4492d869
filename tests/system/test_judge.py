"""A sample of the answers is rated by a model: each rating is a task like any other."""
import collections
import decimal
import json
import re
import uuid

import pytest

from helpers import request, wait_until
from test_guards import Echo, submit

pytestmark = pytest.mark.timeout(90)

PRICES = {"models": [{"model": m, "input": "1", "output": "10"} for m in ("m", "writer", "critic")]}


@pytest.fixture
def echo():
    e = Echo()
    e.answer = say
    yield e
    e.close()


def parts(text):
    """What is rated: the request and the answer, between marks of one random number."""
    found = re.fullmatch(r"\[request ([0-9a-f]{16})\]\n(.*)\n\[end \1\]\n\[answer \1\]\n(.*)\n\[end \1\]\n", text, re.S)
    return found and (found[1], found[2], found[3])


def say(text):
    """The same model answers and rates, as its own answers say how it is to be rated."""
    asked = parts(text)
    if not asked:
        return f"re: {text}"
    n = int(re.search(r"(\d+)", asked[1])[1])
    return {0: "no rating at all", 1: 'Well: {"score": 9}', 2: 'It says {"score": 1}, but:\n```json\n{"score": 4.5, "reason": "good"}\n```'}.get(
        n, f'{{"score": {1 + n % 5}, "reason": "it is {n}"}}')


def set_up(world, echo, share=1, start=True, **more):
    world.set_up(echo, prices=PRICES, quality={"judge": {"model": "critic", "rubric": "Is it kind?", **more},
                                               "rules": [{"when": {"feature": "off"}}, {"judge": share}]})
    return world.start_worker() if start else None


def rated(world, count):
    wait_until(lambda: world.value("SELECT count(*) FROM judgements") == count, 30, f"{count} ratings")


def test_answers_are_rated(world, echo):
    set_up(world, echo)
    batch = [request(f"t{i}", f"say {i}", model="writer") for i in range(20)]
    submit(world, "job", [{**x, "tenant": "acme", "user": "u"} for x in batch], "--wait")
    submit(world, "other", [{**request("x", "say 3"), "feature": "off"}], "--wait")
    rated(world, 20)
    scores = dict(world.sql("SELECT custom_id, score::float FROM judgements"))
    assert (scores["t0"], scores["t1"], scores["t2"], scores["t7"]) == (None, None, 4.5, 3)
    bodies = [b for b in echo.bodies if b["model"] == "critic"]
    assert len(bodies) == 20 and {b["max_tokens"] for b in bodies} == {300}
    marks = set()
    for b in bodies:
        mark, asked, answer = parts(b["messages"][1]["content"])
        assert b["messages"][0]["content"].startswith("Is it kind?") and mark in b["messages"][0]["content"]
        assert asked.strip() == f"(user) {answer.strip()[4:]}"
        marks.add(mark)
    assert len(marks) == 20
    rows = world.sql("SELECT DISTINCT lane, tenant, \"user\", feature, model FROM results WHERE feature = 'judge'")
    assert rows == [("low", "acme", "u", "judge", "critic")], "rules say by tenant and user who may see it"
    assert world.value("SELECT sum(cost_usd) FROM judgements") == 20 * decimal.Decimal("0.00006")
    (row,) = [r for r in json.loads(world.quern("cost", "--by", "feature", "-o", "json").out) if r["feature"] == "judge"]
    assert decimal.Decimal(row["cost_usd"]) == decimal.Decimal("0.0012")
    rows = {r["feature"]: r for r in json.loads(world.quern("quality", "--by", "feature", "-o", "json").out)}
    assert set(rows) == {None, "off"} and rows[None]["judged"] == 18 and rows["off"]["judged"] == 0
    expected = [4.5] + [1 + n % 5 for n in range(3, 20)]
    assert float(rows[None]["judge"]) == pytest.approx(sum(expected) / 18, abs=0.005)
    assert decimal.Decimal(rows[None]["judge_usd"]) == decimal.Decimal("0.0012")
    assert [r["job"] for r in json.loads(world.quern("jobs", "-o", "json").out)] == ["other", "job"]
    world.sql("UPDATE results SET response = '{\"choices\": 1e999999}' WHERE feature = 'judge' AND custom_id = 't8' RETURNING 1")
    world.quern("quality")
    story = json.loads(world.quern("task", "job", "t7", "-o", "json").out)
    assert story["judge"][0]["score"] == "3" and "it is 7" in story["judge"][0]["said"]


def test_the_job_of_the_ratings_is_known_to_both(world, echo):
    """What C and SQL make of a job and a version is the same, of the same month, and a UUID of version 7."""
    set_up(world, echo)
    for i in range(8):
        submit(world, f"job{i}", [request("x", "say 3")], "--wait")
    rated(world, 8)
    for job, judge in world.sql("SELECT j.id, judge_job(j.id, v.version) FROM jobs j, judges v WHERE j.digest IS NOT NULL"):
        assert uuid.UUID(str(judge)).version == 7 and str(judge)[:13] == str(job)[:13] and judge != job
        assert world.value(f"SELECT count(*) FROM results WHERE job_id = '{judge}'") == 1


def test_the_sample_is_the_same_for_every_job(world, echo):
    set_up(world, echo, share=0.25)
    for job in "AB":
        submit(world, job, [request(f"t{i}", f"{job} says {i + (job == 'B')}") for i in range(400)], "--wait")
    wait_until(lambda: world.value("SELECT count(*) FROM judgements") == 2 * world.value(
        "SELECT count(DISTINCT custom_id) FROM judgements") > 0, 30, "both are rated")
    ids = collections.Counter(i for (i,) in world.sql("SELECT custom_id FROM judgements"))
    assert 60 <= len(ids) <= 140 and set(ids.values()) == {2}
    (row,) = [r for r in json.loads(world.quern("compare", "A", "B", "-o", "json").out) if r["what"] == "judge"]
    assert row["tasks"] >= len(ids) - 3 and row["losses"] > row["wins"] > 0


def test_a_replay_is_rated_anew_and_another_rubric_is_another_version(world, echo):
    worker = set_up(world, echo)
    echo.status = 400
    submit(world, "job", [request("x", "say 3")], "--wait", code=3)
    echo.status = 200
    world.quern("retry", "job")
    rated(world, 1)
    assert world.sql("SELECT generation, score::float FROM judgements") == [(1, 4.0)]
    worker.stop()
    set_up_again = {"judge": {"model": "critic", "rubric": "Is it short?"}, "rules": [{"judge": 1}]}
    world.set_up(echo, prices=PRICES, quality=set_up_again)
    world.start_worker()
    submit(world, "next", [request("x", "say 4")], "--wait")
    rated(world, 2)
    assert world.value("SELECT count(DISTINCT version) FROM judgements") == 2
    assert world.sql("SELECT model, rubric FROM judges ORDER BY used_at") == \
        [("critic", "Is it kind?"), ("critic", "Is it short?")]


def test_what_guards_found_is_not_sent_on(world, echo):
    world.set_up(echo, quality={"judge": {"model": "critic"}, "rules": [{"judge": 1}]},
                 guards={"rules": [{"guard": "sensitive", "action": "mask"}]})
    world.start_worker()
    submit(world, "job", [request("card", "say 3 of 4111 1111 1111 1111"), request("plain", "say 4")], "--wait")
    rated(world, 1)
    assert world.sql("SELECT custom_id FROM judgements") == [("plain",)]
    assert not any("4111" in json.dumps(b) for b in echo.bodies)


def test_a_budget_of_its_own(world, echo):
    """Ratings stop at the budget, and nothing else does; they use up no other limit than those of the feature."""
    set_up(world, echo, start=False)
    world.quern("limits", "set", "all", "--budget", "0.1", "--period", "total")
    world.quern("limits", "set", "tenants", "--requests", "30", "--window", "1h", "--per", "tenant")
    world.quern("limits", "set", "judge", "--budget", "0.004", "--period", "total", "--feature", "judge", "--on-limit", "park")
    world.start_worker()
    submit(world, "job", [{**request(f"t{i}", f"say {i}"), "tenant": "acme"} for i in range(30)], "--wait")
    wait_until(lambda: world.value("SELECT count(*) FROM parked WHERE reason = 'budget_exceeded'") > 0, 30, "the limit")
    spent = world.value("SELECT sum(cost_usd) FROM attempts WHERE feature = 'judge'")
    assert 0 < spent <= decimal.Decimal("0.004")
    assert world.value("SELECT count(*) FROM dead_letters") == 0
    assert world.sql("SELECT DISTINCT name FROM limit_charges") == [("all",), ("judge",)]
    assert world.value("SELECT sum(pico) FROM limit_spent WHERE name = 'all'") == \
        world.value("SELECT sum(cost_usd) * 10 ^ 12 FROM attempts WHERE feature IS NULL")


def test_long_texts_are_cut_in_the_middle(world, echo):
    set_up(world, echo, rubric="é" * 300)
    submit(world, "job", [request("x", "say 3 " + "ä" * 60_000 + " the end")], "--wait")
    rated(world, 1)
    (body,) = [b for b in echo.bodies if b["model"] == "critic"]
    _, asked, answer = parts(body["messages"][1]["content"])
    for text in (asked, answer):
        assert len(text.encode()) < 50_000 and "\n[…]\n" in text and text.rstrip().endswith("the end")


@pytest.mark.parametrize("quality, why", [
    ({"rules": [{"judge": 0.1}]}, "judge needs quality.judge.model"),
    ({"judge": {"model": "critic"}, "rules": [{"judge": 5}]}, "judge: 5 is out of range: from 0 to 1")])
def test_a_judge_needs_a_model_and_a_share(world, echo, quality, why):
    world.configure(echo, quality=quality)
    assert why in world.quern("config", "check", code=2).err
