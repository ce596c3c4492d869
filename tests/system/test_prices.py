"""Prices: every model of a price file costs what an exact decimal computation says; files are taken
over whole or not at all; what has no price is told."""
import json
import os
import pathlib
import random
import re
import subprocess
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, getcontext

import pytest

from helpers import request, write_lines

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("QUERN_BIN", ROOT / "build/debug/bin"))
OWN = ROOT / "common/prices.json"
LITELLM = pathlib.Path(os.environ.get("LITELLM_PRICES", ROOT.parent / "shared/data/litellm_model_prices.json"))

getcontext().prec = 60
PARTS = {"input_cost_per_token": "input", "output_cost_per_token": "output",
         "cache_read_input_token_cost": "cached", "cache_creation_input_token_cost": "write",
         "cache_creation_input_token_cost_above_1hr": "write_1h",
         "output_cost_per_reasoning_token": "reasoning"}
KEY = re.compile("^(%s)(?:_above_(\\d+)k_tokens)?(?:_(batches|priority|flex))?$"
                 % "|".join(sorted(PARTS, key=len, reverse=True)))
WHOLE = {"cached": "input", "write": "input", "write_1h": "write", "reasoning": "output"}
TIERS = {None: "standard", "batches": "batch", "priority": "priority", "flex": "flex"}


def rates(entry):
    """{length of input: {(tier, part): USD a token}}, written from the words of the format."""
    bands = {0: {}}

    def add(members, start):
        hit = members.get("input_cost_per_token_cache_hit")
        if hit is not None:
            bands.setdefault(start, {})["standard", "cached"] = Decimal(hit)
        for key, value in members.items():
            match = KEY.match(key)
            if match and value is not None:
                part, above, tier = match.groups()
                band = int(above) * 1000 if above else start
                bands.setdefault(band, {})[TIERS[tier], PARTS[part]] = Decimal(value)

    add(entry, 0)
    for item in entry.get("tiered_pricing", []):
        if "range" in item:
            add(item, int(Decimal(item["range"][0])))
    for band in bands.values():  # the project keeps rates to 10^-18 USD: what is finer is noise
        for key, value in band.items():
            band[key] = value.quantize(Decimal("1e-18"), ROUND_HALF_UP)
    return bands


def rate(bands, tier, part, tokens):
    for start in sorted((b for b in bands if b == 0 or tokens > b), reverse=True):
        for by in dict.fromkeys([tier, "standard"]):
            value = bands[start].get((by, part))
            if value is None and part == "reasoning":
                value = bands[start].get((by, "output"))
            if value is not None:
                return value / 2 if by == "standard" and tier == "batch" else value
    return rate(bands, tier, WHOLE[part], tokens) if part in WHOLE else Decimal(0)


def cost(entry, tier, usage):
    bands = rates(entry)
    total = sum(n * rate(bands, tier, part, usage["prompt"]) for part, n in usage.items() if part != "prompt")
    return int((total * 10**12).quantize(Decimal(1), ROUND_HALF_EVEN))


def any_usage(draw):
    near = draw.choice([1000, 32000, 128000, 200000, 256000, 272000, 512000])
    total = max(0, near + draw.choice([-1, 0, 1, draw.randrange(-900, 400000)]))
    cached = draw.randrange(total + 1)
    write = draw.randrange(total - cached + 1)
    kept = draw.randrange(write + 1)
    output = draw.randrange(60000)
    reasoning = draw.randrange(output + 1)
    return {"prompt": total, "input": total - cached - write, "cached": cached, "write": write - kept,
            "write_1h": kept, "output": output - reasoning, "reasoning": reasoning}


def line(model, tier, u):
    return (f"{model}\t{tier}\t{u['prompt']} {u['cached']} {u['write'] + u['write_1h']} {u['write_1h']} "
            f"{u['output'] + u['reasoning']} {u['reasoning']}\n")


def models_of(path):
    everything = json.loads(path.read_text(), parse_float=str, parse_int=str)
    return {name: entry for name, entry in everything.items()
            if isinstance(entry, dict) and name != "sample_spec"
            and any(key in band for band in rates(entry).values()
                    for key in [("standard", "input"), ("standard", "output")])}


@pytest.mark.parametrize("path", [OWN, LITELLM], ids=["own", "litellm"])
def test_every_model_costs_what_exact_decimals_say(path, tmp_path):
    if not path.exists():
        pytest.skip("LiteLLM's file is not at hand: set LITELLM_PRICES")
    draw = random.Random(5)
    cases = [(name, tier, any_usage(draw)) for name in models_of(path) for tier in TIERS.values() for _ in range(6)]
    asked = "".join(line(*case) for case in cases)
    files = [path, tmp_path / "compact.json"]
    (tmp_path / "quern.yaml").write_text("backends: []\n")
    subprocess.run([BIN / "quern", "prices", "import", path, "-o", files[1], "-c", tmp_path / "quern.yaml"],
                   check=True, capture_output=True)
    for file in files:
        out = subprocess.run([BIN / "check-price", file], input=asked, capture_output=True, text=True, check=True)
        told = out.stdout.split()
        assert len(told) == len(cases) >= 140 * 24
        entries = models_of(path)
        wrong = [(case, got) for case, got in zip(cases, told) if got != str(cost(entries[case[0]], *case[1:]))]
        assert not wrong, (len(wrong), wrong[:3])


def test_an_import_is_whole_and_names_what_has_changed(world):
    old = {"a": {"input_cost_per_token": 1e-06}, "b": {"input_cost_per_token": 2e-06},
           "z": {"input_cost_per_token": 2e-06}}
    new = {"sample_spec": {"input_cost_per_token": 0}, "c": {"mode": "image_generation"},
           "a": {"input_cost_per_token": 1e-06, "mode": "chat", "output_cost_per_token": None},
           "b": {"input_cost_per_token": 3e-06, "litellm_provider": "x"},
           "d": {"tiered_pricing": [{"input_cost_per_token": 1e-06, "range": [0, 5000]},
                                    {"input_cost_per_token": 2e-06, "range": [5000, 9000], "note": "y"}]}}
    kept = world.path / "prices.json"
    kept.write_text(json.dumps(old))
    world.configure(prices={"file": str(kept)})
    source = world.path / "new.json"
    source.write_text(json.dumps(new))
    out = world.quern("prices", "import", source).out
    assert "changed: b" in out and "changed: a" not in out and "gone: z" in out
    assert "3 models, 1 of them new, 1 changed, 1 gone" in out
    assert json.loads(kept.read_text()) == {
        "a": {"input_cost_per_token": 1e-06}, "b": {"input_cost_per_token": 3e-06},
        "d": {"tiered_pricing": [{"input_cost_per_token": 1e-06, "range": [0, 5000]},
                                 {"input_cost_per_token": 2e-06, "range": [5000, 9000]}]}}
    shown = world.quern("prices", "show", "d", "gpt-4o-min*").out
    assert "gpt-4o-mini" in shown and [l.split()[:4] for l in shown.splitlines() if l.startswith("d ")] == [
        ["d", "standard", "0", "1.000000"], ["d", "standard", "5000", "2.000000"]]
    before = kept.read_text()
    for bad in ('{"a": {"input_cost_per_token": -1}}', '{"a": {"input_cost_per_token": 1', '{}', '[]',
                '{"a": {"input_cost_per_token_above_200k_tokens": "x"}}'):
        source.write_text(bad)
        refused = world.quern("prices", "import", source, code=2)
        assert "nothing was written" in refused.err and str(source) in refused.err
        assert kept.read_text() == before


def test_tiers_and_long_inputs_are_billed_by_their_rates(world):
    """The stub's usage is what it counts; the books must be that at the backend's rates."""
    kept = world.path / "prices.json"
    kept.write_text(json.dumps({"house/m": {
        "input_cost_per_token": 2e-06, "output_cost_per_token": 4e-06,
        "input_cost_per_token_flex": 5e-07, "input_cost_per_token_above_1k_tokens": 8e-06}}))
    stub = world.start_stub()
    backends = [{"name": tier, "base_url": stub.url, "prices": {"prefix": "house/", "tier": tier}}
                for tier in ("standard", "batch", "flex")]
    models = [{"name": b["name"], "candidates": [{"backend": b["name"], "model": "m"}]} for b in backends]
    world.set_up(stub, prices={"file": str(kept)}, backends=backends, models=models)
    world.start_worker()
    texts = {"short": "some words", "long": "word " * 4000}
    lines = [request(f"{b['name']}-{size}", text, model=b["name"]) for b in backends for size, text in texts.items()]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "tiers", "--wait")
    rows = world.sql("SELECT custom_id, input_tokens, output_tokens, cost_usd, price_version, service_tier"
                     " FROM attempts")
    assert len(rows) == 6 and len({r[4] for r in rows}) == 1
    for custom_id, tokens_in, tokens_out, cost_usd, _, booked in rows:
        tier, size = custom_id.split("-")
        assert (booked or "standard") == tier
        assert (tokens_in > 1000) == (size == "long")
        plain = Decimal("8e-06" if size == "long" else "2e-06")
        by_tier = {"standard": (plain, Decimal("4e-06")), "batch": (plain / 2, Decimal("2e-06")),
                   "flex": (plain if size == "long" else Decimal("5e-07"), Decimal("4e-06"))}
        rate_in, rate_out = by_tier[tier]
        assert cost_usd == tokens_in * rate_in + tokens_out * rate_out, custom_id


def test_a_model_without_a_price_is_told_once(world):
    world.set_up(world.start_stub())
    worker = world.start_worker()
    lines = [request(f"t-{i}", f"text {i}", model=f"nobody-knows-{i % 2}") for i in range(20)]
    world.quern("submit", write_lines(world.path / "in.jsonl", lines), "--job", "unknown", "--wait")
    assert world.status("unknown")["unpriced_attempts"] == 20
    told = [l for l in worker.text().splitlines() if "has no price" in l]
    assert sorted(set(told)) == sorted(told) and len(told) == 2, told
