"""Every token is paid once in the books: costs add up exactly."""
from decimal import Decimal

import pytest

from helpers import request, write_lines

pytestmark = pytest.mark.timeout(60)
MILLION = Decimal(1_000_000)


def price(lines, rate_in, rate_out):
    """What the answers cost, computed from the usage that the backend gave."""
    total = Decimal(0)
    for line in lines.values():
        usage = line["response"]["body"].get("usage", {})
        total += usage.get("prompt_tokens", 0) * Decimal(rate_in) / MILLION
        total += usage.get("completion_tokens", 0) * Decimal(rate_out) / MILLION
    return total


def run(world, lines, job="cost", code=0, **changes):
    world.set_up(world.start_stub(), **changes)
    world.start_worker()
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", job, "--wait", code=code)
    return world.status(job), world.results(job)


def test_costs_add_up_exactly(world):
    words = "some words of a text that is longer each time. "
    lines = [request(f"t-{i}", f"Summarize: {words * (1 + i % 37)}{i}") for i in range(300)]
    status, results = run(world, lines)
    expected = price(results, "0.15", "0.60")
    assert expected > 0
    assert Decimal(status["cost_usd"]) == expected
    assert world.value("SELECT sum(cost_usd) FROM attempts") == expected
    assert world.value("SELECT sum(cost_usd) FROM results") == expected
    assert world.value("SELECT sum(cost_usd) FROM job_counters") == expected
    assert world.value("SELECT data_type FROM information_schema.columns"
                       " WHERE table_name = 'attempts' AND column_name = 'cost_usd'") == "numeric"
    tokens = world.sql("SELECT sum(input_tokens)::bigint, sum(output_tokens)::bigint FROM attempts")
    assert tokens == [(status["input_tokens"], status["output_tokens"])]


def test_a_failed_attempt_costs_nothing_and_is_in_the_books(world):
    lines = [request(f"t-{i}", f"[[stub:500:1]] Summarize: text {i}.") for i in range(20)]
    status, results = run(world, lines)
    assert status["attempts"] == 40
    assert Decimal(status["cost_usd"]) == price(results, "0.15", "0.60")
    failed = "SELECT count(*), sum(cost_usd) FROM attempts WHERE error_type IS NOT NULL"
    assert world.sql(failed) == [(20, 0)]


def test_an_unknown_model_has_no_cost_and_is_counted(world):
    lines = [request(f"t-{i}", f"text {i}", model="nobody-knows-me") for i in range(5)]
    status, _ = run(world, [*lines, request("known", "text")])
    assert status["unpriced_attempts"] == 5
    assert world.sql("SELECT DISTINCT cost_usd FROM attempts WHERE model = 'nobody-knows-me'") == [(None,)]
    known = world.value("SELECT cost_usd FROM results WHERE custom_id = 'known'")
    assert Decimal(status["cost_usd"]) == known > 0
    assert "unpriced" in world.quern("status", "cost").out


def test_own_prices_are_over_the_built_in_ones(world):
    prices = [{"model": "gpt-4o-mini", "input": "1.25", "output": "10"},
              {"model": "house-model", "input": "0.000001", "output": 0.05}]
    lines = [request("a", "Summarize: one text."), request("b", "Summarize: another text.")]
    house = [request("c", "Summarize: a third text.", model="house-model")]
    status, results = run(world, lines + house, prices={"models": prices})
    c = results.pop("c")
    expected = price(results, "1.25", "10") + price({"c": c}, "0.000001", "0.05")
    assert Decimal(status["cost_usd"]) == expected
    assert status["unpriced_attempts"] == 0
