#!/usr/bin/env python3
"""A chatbot's day, scaled down, four times: as it is, with compression, with routing, with the cache too.

    eval "$(./dev env)"; examples/chatbot/run.py [CONVERSATIONS]

Each conversation has 10 messages of about 500 tokens to one expensive model; 70 % of them are simple, 30 %
have been asked before. Needs quern and quern-worker on the PATH and QUERN_CONFIG for the servers."""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

MESSAGES = 10
PERSONA = ("You are a friendly and helpful assistant of an online shop.   In order to help the customer, it is "
           "important to note that you have the ability to look at the policies below.   Please make sure to "
           "answer in a polite manner, and in the event that you do not know the answer, say so.\n\n\n\n")
POLICY = ("Returns are possible within thirty days.  Prior to sending anything back, the customer asks for a "
          "label with the number of the order.   Due to the fact that parcels get lost, the label is kept.\n\n")
WORDS = ("parcel order invoice refund voucher colour size delivery address courier warranty repair battery "
         "screen cable charger account password newsletter return").split()

ROUTES = [{"name": "assistant", "when": {"complexity": "simple"}, "candidates": [{"backend": "b", "model": "gpt-4o-mini"}]},
          {"name": "assistant", "candidates": [{"backend": "b", "model": "gpt-4"}]}]
PHASES = {
    "as it is": {},
    "compression": {"compress": {"rules": [{"verbose": True}]}},
    "compression, routing": {"compress": {"rules": [{"verbose": True}]}, "models": ROUTES},
    "compression, routing, cache": {"compress": {"rules": [{"verbose": True}]}, "models": ROUTES,
                                    "cache": {"rules": [{"ttl": "24h"}]}},
}


def question(rng, words):
    return "Customer: " + " ".join(rng.choice(WORDS) for _ in range(words)) + "?"


def conversations(count, seed=1):
    """One batch line a message."""
    rng = random.Random(seed)
    asked = []
    for c in range(count):
        for m in range(MESSAGES):
            if asked and rng.random() < 0.3:
                text, simple = rng.choice(asked)
            else:
                simple = rng.random() < 0.7
                text = POLICY * 2 + question(rng, 120 if simple else 250) + "\n\n" + POLICY
                asked.append((text, simple))
            yield {"custom_id": f"c{c}-m{m}", "method": "POST", "url": "/v1/chat/completions",
                   "complexity": "simple" if simple else "complex", "feature": "chat",
                   "body": {"model": "assistant", "max_tokens": 300, "temperature": 0,
                            "messages": [{"role": "system", "content": PERSONA},
                                         {"role": "user", "content": text}]}}


def config(base, phase):
    """The servers of a configuration's text, with one phase's way of saving."""
    def find(key, default=None):
        found = re.search(rf'\b{key}"?: *"([^"]+)"', base)
        return found.group(1) if found else default
    kafka = {"brokers": find("brokers"), "topic_prefix": find("topic_prefix", "quern."), "group": find("group", "quern")}
    return {"kafka": kafka, "database": {"url": find("url")}, "worker": {"concurrency": 64},
            "savings": {"baseline": "gpt-4"},
            "backends": [{"name": "b", "base_url": find("base_url"), "api_key_env": "QUERN_API_KEY"}],
            "models": [{"name": "assistant", "candidates": [{"backend": "b", "model": "gpt-4"}]}],
            **PHASES[phase]}


def run(base, phase, batch, job, folder):
    """Submits the batch and works on it; returns what `quern cost --savings` says."""
    path = folder / "chatbot.yaml"
    path.write_text(json.dumps(config(base, phase)))
    worker = subprocess.Popen(["quern-worker", "--config", path], stderr=subprocess.DEVNULL)
    try:
        subprocess.run(["quern", "submit", batch, "--job", job, "--wait", "--config", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    finally:
        worker.terminate()
        worker.wait()
    said = subprocess.run(["quern", "cost", "--savings", "--job", job, "-o", "json", "--config", path],
                          check=True, capture_output=True, text=True).stdout
    return {row["what"]: row for row in json.loads(said)}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    base = pathlib.Path(os.environ["QUERN_CONFIG"]).read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        batch = folder / "batch.jsonl"
        batch.write_text("".join(json.dumps(line) + "\n" for line in conversations(count)))
        for i, phase in enumerate(PHASES):
            rows = run(base, phase, batch, f"chatbot-{os.getpid()}-{i}", folder)
            print(f"\n{count * MESSAGES} messages, {phase}")
            for what, row in rows.items():
                percent = "" if row["percent"] is None else f"{float(row['percent']):8.2f} %"
                print(f"  {what:28}{float(row['usd']):12.6f} USD {percent}")


if __name__ == "__main__":
    main()
