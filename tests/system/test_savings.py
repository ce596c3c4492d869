"""What routing, compression and the cache save, reckoned exactly against a declared baseline."""
import decimal
import json

import pytest

from helpers import request, write_lines

pytestmark = pytest.mark.timeout(90)

PRICES = {"models": [{"model": "dear", "input": "30", "output": "60"},
                     {"model": "cheap", "input": "0.5", "output": "1.5"}]}
ROUTES = [{"name": "chat", "when": {"complexity": "simple"}, "candidates": [{"backend": "stub", "model": "cheap"}]},
          {"name": "chat", "candidates": [{"backend": "stub", "model": "dear"}]},
          {"name": "*", "candidates": [{"backend": "stub"}]}]
PADDED = "In order to  help,   please make sure to answer.\n\n\n\n" + "Question {}: why   is the sky   blue?"


def savings(world, *args):
    rows = json.loads(world.quern("cost", "--savings", "-o", "json", *args).out)
    return {r["what"]: r for r in rows}


def usd(row):
    return decimal.Decimal(str(row["usd"]))


def test_the_parts_add_up_exactly(world):
    stub = world.start_stub()
    world.set_up(stub, prices=PRICES, models=ROUTES, savings={"baseline": "dear"}, retry={"attempts": 1},
                 cache={"rules": [{"ttl": "1h"}]},
                 compress={"rules": [{"when": {"feature": "long"}, "verbose": True}]})
    world.start_worker()
    lines = []
    for i in range(40):
        line = request(f"t{i}", PADDED.format(i % 30) + " Explain. " * (i % 3 * 300), model="chat")
        lines.append({**line, "feature": "long" if i % 2 else "short"})
    lines[7]["body"]["messages"][0]["content"] += "[[stub:500:1]]"
    world.quern("submit", write_lines(world.path / "a.jsonl", lines), "--job", "a", "--wait")
    found = savings(world)
    assert {"baseline", "saved: routed", "saved: compressed", "spent"} <= set(found)
    assert set(found) & {"saved: cached", "saved: shared"}
    spent = world.value("SELECT sum(cost_usd) FROM attempts")
    assert usd(found["spent"]) == spent
    parts = sum(usd(r) for what, r in found.items() if what not in ("baseline", "spent"))
    assert usd(found["baseline"]) + parts == spent
    assert all(usd(r) < 0 for what, r in found.items() if what.startswith("saved"))
    # what is saved by compression is what the texts were longer by
    calls = stub.calls()
    assert any("To help, please answer.\n\nQuestion 1: why is the sky blue?" in p for p in calls)
    assert any("Question 2: why   is" in p for p in calls)
    # without failures there is nothing beyond
    assert usd(found["failed and repeated calls"]) == world.value(
        "SELECT coalesce(sum(cost_usd), 0) FROM attempts WHERE error_type IS NOT NULL")
    by = json.loads(world.quern("cost", "--by", "model", "-o", "json").out)
    assert sum(decimal.Decimal(str(r["cost_usd"])) for r in by) == spent
    assert savings(world, "--job", "a")["spent"]["usd"] == found["spent"]["usd"]


def test_compress_shows_what_it_does(world):
    world.configure(compress={"rules": [{"verbose": True}]})
    text = world.path / "p.txt"
    text.write_text('In order to   see\n"in order   to"\n')
    shown = world.quern("compress", text)
    assert shown.out == 'To see\n"in order   to"\n' and "fewer" in shown.err
    assert "+To see" in world.quern("compress", "--diff", text).out
    world.configure()
    assert "no rule of `compress`" in world.quern("compress", text, code=1).err


def test_the_chatbot_example(world, monkeypatch):
    """Each way of saving shows, and takes nothing from the others."""
    import importlib.util
    from helpers import BIN, ROOT
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    spec = importlib.util.spec_from_file_location("chatbot", ROOT / "examples/chatbot/run.py")
    chatbot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(chatbot)
    stub = world.start_stub()
    world.set_up(stub)
    base = world.config_path.read_text()
    batch = write_lines(world.path / "chatbot.jsonl", chatbot.conversations(8))
    spent = []
    for i, phase in enumerate(chatbot.PHASES):
        rows = chatbot.run(base, phase, batch, f"p{i}", world.path)
        spent.append(usd(rows["spent"]))
        parts = sum(usd(r) for what, r in rows.items() if what not in ("baseline", "spent"))
        assert usd(rows["baseline"]) + parts == spent[-1]
    assert rows["saved: routed"]["percent"] is not None and usd(rows["saved: compressed"]) < 0
    assert usd(rows.get("saved: cached", {"usd": 0})) + usd(rows.get("saved: shared", {"usd": 0})) < 0
    assert spent[1] < spent[0] * decimal.Decimal("0.92")
    assert spent[2] < spent[1] * decimal.Decimal("0.6")
    assert spent[3] < spent[2] * decimal.Decimal("0.85")
