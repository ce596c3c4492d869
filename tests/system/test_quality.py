"""Answers measured without a model, and what people say of them."""
import json

import pytest

from helpers import request, write_lines
from test_guards import Echo, submit, text_of

pytestmark = pytest.mark.timeout(90)

SOURCE = ("Summarize: The port of Saint-Aubry opened its first electric ferry on 14 March 2023. It carries 450 "
          "passengers and cost 24 million euros. \"It is so quiet,\" captain Yann Le Goff said.")
GOOD = "On March 14, 2023 Saint-Aubry got an electric ferry for 450 passengers; it cost €24m, and Le Goff finds it quiet."
BAD = "In 2021 Saint-Aubry opened a ferry for 540 passengers, said Marie Dupont."


@pytest.fixture
def echo():
    e = Echo()
    yield e
    e.close()


def test_answers_are_measured(world, echo):
    says = {"good": GOOD, "bad": BAD, "no": "I'm sorry, but I cannot help with that.", "loop": "and then we go on " * 40,
            "empty": "  "}
    echo.answer = lambda text: says[text.split("|")[0]]
    world.set_up(echo, quality={"rules": [{"when": {"feature": "off"}, "never": True}, {}]})
    world.start_worker()
    submit(world, "job", [request(n, f"{n}|{SOURCE}") for n in says] +
           [{**request("off", f"good|{SOURCE}"), "feature": "off"}], "--wait")
    rows = {i: (c, g, u) for i, c, g, u in world.sql(
        "SELECT custom_id, completion, groundedness::float, unsupported FROM quality")}
    assert {i: c for i, (c, _, _) in rows.items()} == {"good": "complete", "bad": "complete", "no": "refused",
                                                      "loop": "loop", "empty": "empty"}
    assert rows["good"][1] == 1.0 and rows["bad"][1] < 0.4
    assert {(x["kind"], x["text"]) for x in rows["bad"][2]} == {("date", "2021"), ("number", "540"), ("name", "Marie Dupont")}
    world.quern("feedback", "job", "good", "up", "--note", "fine")
    world.quern("feedback", "job", "bad", "up")
    world.quern("feedback", "job", "bad", "down")
    assert "no result of a task" in world.quern("feedback", "job", "nobody", "up", code=2).err
    table = world.path / "f.csv"
    table.write_text("custom_id,verdict,note\nno,down,\"rude, and long\"\nloop,sideways,\n")
    assert 'f.csv:3: "sideways" is neither up nor down' in world.quern("feedback", "job", "--csv", table, code=2).err
    assert world.value("SELECT count(*) FROM feedback") == 2, "all rows or none"
    table.write_text("custom_id,verdict,note\nno,down,\"rude, and long\"\nloop,down,\n")
    world.quern("feedback", "job", "--csv", table)
    (row,) = json.loads(world.quern("quality", "--by", "model", "-o", "json").out)
    assert row["tasks"] == 6 and row["measured"] == 5 and float(row["complete"]) == 0.4
    assert row["feedback"] == 4 and float(row["up"]) == 0.25 and row["complete_95"] == "0.118 to 0.769"


def test_a_bad_answer_goes_to_the_next_candidate(world, echo):
    other = Echo()
    try:
        echo.answer, other.answer = (lambda text: BAD), (lambda text: GOOD)
        world.set_up(echo, quality={"rules": [{"retry_below": 0.5}]},
                     backends=[{"name": "a", "base_url": echo.url}, {"name": "b", "base_url": other.url}],
                     models=[{"name": "*", "candidates": [{"backend": "a"}, {"backend": "b"}]}])
        world.start_worker()
        submit(world, "job", [request("x", SOURCE)], "--wait")
        assert text_of(world.results("job")["x"]) == GOOD
        assert len(echo.seen()) == len(other.seen()) == 1
        assert world.value("SELECT count(*) FROM attempts WHERE cost_usd IS NOT NULL OR input_tokens > 0") == 2
        assert world.value("SELECT groundedness FROM quality") == 1
        other.answer = echo.answer
        submit(world, "again", [request("x", SOURCE)], "--wait")
        assert text_of(world.results("again")["x"]) == BAD, "the last candidate's answer is the answer"
    finally:
        other.close()


def test_two_jobs_are_compared(world, echo):
    echo.answer = lambda text: GOOD if text.startswith("A") or "7" in text.split("|")[0] else BAD
    world.set_up(echo, quality={"rules": [{}]})
    world.start_worker()
    for job in "AB":
        submit(world, job, [request(f"t{i}", f"{job} {i}|{SOURCE}") for i in range(20)], "--wait")
    rows = {r["what"]: r for r in json.loads(world.quern("compare", "A", "B", "-o", "json").out)}
    g = rows["groundedness"]
    assert (g["tasks"], g["wins"], g["losses"], g["ties"]) == (20, 18, 0, 2)
    assert float(g["chance"]) < 0.001 and rows["complete"]["ties"] == 20 and float(rows["complete"]["chance"]) == 1
    assert rows["call_ms"]["tasks"] == 20


SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {
    "type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}}


def test_answers_get_their_shape(world, echo):
    """Mended where that is cheap, else the model is told; then the next candidate, and then it fails."""
    other = Echo()
    try:
        tries = {}

        def answer(text):
            name = text.split()[0]
            tries[name] = tries.get(name, 0) + 1
            if name == "fence":
                return "Here it is:\n```json\n{\"n\": 1,}\n```"
            if "has not the shape" in text:
                return '{"n": 2}' if "n is not of type" in text else "still no"
            return '{"n": "x"}' if name == "told" else "no JSON"

        echo.answer, other.answer = answer, (lambda text: '{"n": 3}' if "other" in text else "nothing")
        world.set_up(echo, quality={"rules": [{"shape": "retry", "shape_retries": 1, "source": False}]},
                     backends=[{"name": "a", "base_url": echo.url}, {"name": "b", "base_url": other.url}],
                     models=[{"name": "*", "candidates": [{"backend": "a"}, {"backend": "b"}]}])
        world.start_worker()
        submit(world, "job", [request(n, f"{n} please", response_format=SCHEMA) for n in ("fence", "told", "other", "never")]
               + [request("free", "free text")], "--wait", code=3)
        results = world.results("job")
        assert text_of(results["fence"]) == '{"n": 1}' and tries["fence"] == 1
        assert json.loads(text_of(results["told"]))["n"] == 2
        told = [b["messages"] for b in echo.bodies if len(b["messages"]) == 3 and "told" in b["messages"][0]["content"]]
        assert [m["role"] for m in told[0]] == ["user", "assistant", "user"] and told[0][1]["content"] == '{"n": "x"}'
        assert json.loads(text_of(results["other"]))["n"] == 3
        assert text_of(results["free"]) == "no JSON"
        assert world.sql("SELECT custom_id, reason FROM dead_letters") == [("never", "misshapen")]
        assert world.value("SELECT count(*) FROM attempts WHERE custom_id = 'never'") == 4
    finally:
        other.close()
