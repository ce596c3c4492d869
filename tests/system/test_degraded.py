"""What every candidate has failed may end with a last answer, and is marked as such."""
import pytest

from helpers import request, write_lines
from test_dialects import run

pytestmark = pytest.mark.timeout(60)

BAD = "Summarize: The first sentence is here. The second one follows it. The third is too much. [[stub:400]]"


def set_up(world, **fallback):
    stub = world.start_stub()
    world.set_up(stub, retry={"attempts": 0}, backends=[{"name": "b", "base_url": stub.url}],
                 models=[{"name": "*", "fallback": fallback, "candidates": [{"backend": "b"}]}])
    world.start_worker()


def content(result):
    assert result["degraded"] is True and result["error"] is None
    return result["response"]["body"]["choices"][0]["message"]["content"]


def test_a_task_carries_its_last_answer(world):
    set_up(world)
    path_lines = [{**request("text", BAD), "fallback": {"text": "Not \"now\"."}},
                  {**request("template", BAD), "fallback": {"template": "{{custom_id}}/{{ model }}/{{tenant}}"}},
                  {**request("extract", BAD), "fallback": {"extract": 2}},
                  {**request("good", "Summarize: A text that is long enough."), "fallback": {"text": "x"}},
                  request("none", BAD)]
    result = run(world, path_lines, 3)
    assert content(result["text"]) == 'Not "now".'
    assert content(result["template"]).startswith("template/") and content(result["template"]).endswith("/")
    assert content(result["extract"]) == (
        "Summarize: The first sentence is here. The second one follows it.")
    assert "degraded" not in result["good"] and result["good"]["response"]["status_code"] == 200
    rows = dict(world.sql("SELECT custom_id, status FROM results"))
    assert rows == {"text": "degraded", "template": "degraded", "extract": "degraded", "good": "succeeded",
                    "none": "failed"}
    assert world.value("SELECT error_type FROM results WHERE custom_id = 'text'") == "invalid_request"
    status = world.status("job")
    assert status["degraded"] == 3 and status["failed"] == 1
    assert world.value("SELECT count(*) FROM dead_letters") == 1


def test_a_template_that_asks_for_what_is_not_there_is_refused_early(world):
    set_up(world)
    lines = [{**request("wrong", BAD), "fallback": {"template": "{{nothing}}"}}]
    said = world.quern("submit", write_lines(world.path / "in.jsonl", lines), code=2).err
    assert "in.jsonl:1: fallback.template: " in said and "{{nothing}}" in said


def test_a_rule_has_one_for_all_and_the_tasks_own_goes_before_it(world):
    set_up(world, template="No answer to: {{prompt}}")
    result = run(world, [request("rule", BAD), {**request("own", BAD), "fallback": {"text": "own"}}])
    assert content(result["rule"]) == "No answer to: " + BAD
    assert content(result["own"]) == "own"
    assert world.value("SELECT count(*) FROM attempts WHERE error_type = 'invalid_request'") == 2
