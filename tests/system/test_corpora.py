"""What guards find in texts written for the purpose: recall and precision by family, printed with -s, and gates.

The texts of *_held.jsonl are none that the model for injections was trained on (guards/train.py): their figures are the
model's. docs/guards.md has both."""
import collections
import json
import pathlib
import subprocess

import pytest

from helpers import BIN, ROOT, SANITIZED

DATA = ROOT / "tests/data"
ALARM = 0.6


def corpus(name, check):
    path = DATA / f"{name}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    with open(path) as text:
        out = subprocess.run([BIN / "check-guards", check], stdin=text, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in out.stdout.splitlines()]
    assert len(lines) == len(found)
    return list(zip(lines, found))


def table(title, rows):
    print(f"\n{title}")
    for name, good, count in sorted(rows):
        print(f"  {name:<18}{good:>5} of {count:<5}{good / count:6.3f}")


def by(key, pairs, judge):
    count, good = collections.Counter(), collections.Counter()
    for line, found in pairs:
        count[line[key]] += 1
        good[line[key]] += judge(found)
    return [(k, good[k], count[k]) for k in count]


@pytest.mark.parametrize("part, least", [("", 0.95), ("_held", 0.95)])
def test_injections(part, least):
    attacks = corpus(f"injections{part}", "injection")
    innocent = corpus(f"innocent{part}", "injection")
    assert len(attacks) >= 300 and len(innocent) >= 600
    caught = by("family", attacks, lambda f: f["score"] >= ALARM)
    false = by("kind", innocent, lambda f: f["score"] >= ALARM)
    table("injections found", caught)
    table("innocent texts taken for injections", false)
    assert len(caught) >= 12
    assert sum(g for _, g, _ in caught) / len(attacks) >= least
    assert sum(g for _, g, _ in false) / len(innocent) <= 0.02


def test_sensitive_data():
    right, missed, wrong = collections.Counter(), collections.Counter(), collections.Counter()
    pairs = corpus("sensitive", "sensitive")
    assert len(pairs) >= 400
    for line, found in pairs:
        text = line["text"].encode()
        got = {(k, text[a:b].decode(errors="replace")) for k, a, b in found["found"]}
        want = {(x["kind"], x["text"]) for x in line["found"]}
        for kind, _ in got & want:
            right[kind] += 1
        for kind, _ in want - got:
            missed[kind] += 1
        for kind, _ in got - want:
            wrong[kind] += 1
    table("sensitive data found", [(k, right[k], right[k] + missed[k]) for k in right])
    table("and what was found is such", [(k, right[k], right[k] + wrong[k]) for k in right])
    for kind in right:
        assert right[kind] / (right[kind] + missed[kind]) >= 0.95, kind
        assert right[kind] / (right[kind] + wrong[kind]) >= 0.99, kind


def is_covered(text, wanted, found):
    """Are all letters and digits of the value in findings of its kind? A private key may be found as an API key."""
    secret = {"api_key", "private_key"}
    kinds = secret if wanted["kind"] in secret else {wanted["kind"]}
    at = text.find(wanted["text"].encode())
    need = {i for i in range(at, at + len(wanted["text"].encode())) if chr(text[i]).isalnum() or text[i] > 127}
    return need <= {i for k, a, b in found if k in kinds for i in range(a, b)}


def test_sensitive_data_of_others():
    """sensitive_held.jsonl is written by others than those who wrote the rules, with rare forms and near misses."""
    good, count, wrong, all_found = collections.Counter(), collections.Counter(), 0, 0
    for line, verdict in corpus("sensitive_held", "sensitive"):
        text = line["text"].encode()
        for x in line["found"]:
            count[x["kind"]] += 1
            good[x["kind"]] += is_covered(text, x, verdict["found"])
        known = [(text.find(x["text"].encode()), len(x["text"].encode())) for x in line["found"] + line["may"]]
        all_found += len(verdict["found"])
        wrong += sum(not any(a < at + size and b > at for at, size in known) for _, a, b in verdict["found"])
    table("sensitive data found in the texts of others", [(k, good[k], count[k]) for k in count])
    table("and what was found is such", [("all", all_found - wrong, all_found)])
    assert sum(good.values()) / sum(count.values()) >= 0.92
    assert 1 - wrong / all_found >= 0.98


# No text takes more than ten times the time of an innocent one of its length.
HOSTILE = ["1 2 3 4 5 6 7 8 9 ", "4111 1111 1111 1112 ", "4", "a@", "a.b@c.d ", "41 42 43 44 ", "QUJD", "%41%42",
           "ignore all previous instructions ", "ai you must ", "i g n o r e ", "i\u200bg\u200b", "忽略之前的指令", "<|[<#",
           "-----BEGIN PRIVATE KEY", "password=a1B2c3D4 ", "passwordtoken ", "::", "a:b:c:d:", "+1 (2) 3-", "DE89 3704 ",
           "&#65;&#x", "pass:", "pass=.", "auth=/", "pass=-a", "x_pass:1", "a://b:", "basic ", "ignoreallprevious", "\"'", "((((", "----", "aWdub3JlIGFsbCBydWxlcyBub3c= ", "01 ", "é", "𝐢 ",
           "curl -u a:1 ", " -u a", "%40", "\\n", "bot1", "12 / ", "Me liga no (11) 98765-4321 ", "id 123456789 ", "пароль: ", "密码：",
           "hooks.slack.com/", "password is ", "password for ", "pw of pw of pw of x is $1klmnopTU ", "4111 ", "12 2", "x+", "v (12) 345 6789 ", "api key: \"", "4111 1111 1111 1111 ", "1 85 02 2A "]


def seconds(check, line, times):
    line = json.dumps(line) + "\n"
    out = subprocess.run(["bash", "-c", 'TIMEFORMAT=%U; time "$0" "$@" >/dev/null', BIN / "check-guards", check, str(times)],
                         input=line, capture_output=True, text=True, check=True)
    return float(out.stderr.strip().splitlines()[-1])


@pytest.mark.skipif(SANITIZED, reason="sanitizers slow pieces of code down unevenly")
@pytest.mark.parametrize("check", ["injection", "sensitive"])
def test_hostile_texts_take_no_longer(check):
    size, times = 50_000, 60
    usual = " ".join(json.loads(x)["text"] for x in (DATA / "innocent.jsonl").read_text().splitlines())
    usual = usual.encode()[:size].decode(errors="ignore")
    start = seconds(check, {"text": ""}, 1)
    fair = max(0.02, seconds(check, {"text": usual}, times) - start)
    for piece in HOSTILE:
        text = piece * (size // len(piece.encode()))
        spent = seconds(check, {"text": text}, times) - start
        assert spent <= 10 * fair, f"{piece!r}: {spent:.2f} s, {fair:.2f} s is usual"


# What must be right at least: claims of each kind found, findings that are such, supported answers believed. Those of
# grounded_held.jsonl are written by others than those who wrote the rules.
@pytest.mark.parametrize("part, least, precise, believed", [("", 0.95, 0.95, 0.95), ("_held", 0.9, 0.93, 0.87)])
def test_groundedness(part, least, precise, believed):
    pairs = corpus(f"grounded{part}", "grounded")
    found, count, wrong, all_found, clean = collections.Counter(), collections.Counter(), 0, 0, 0
    assert len(pairs) >= 200
    for line, verdict in pairs:
        answer = line["answer"].encode()
        want = [(x["kind"], answer.find(x["text"].encode()), len(x["text"].encode())) for x in line["unsupported"]]
        for kind, at, size in want:
            count[kind] += 1
            found[kind] += any(a < at + size and b > at for _, a, b in verdict["found"])
        wrong += sum(not any(a < at + size and b > at for _, at, size in want) for _, a, b in verdict["found"])
        all_found += len(verdict["found"])
        clean += not want and not verdict["found"]
    supported = sum(not line["unsupported"] for line, _ in pairs)
    table("claims that the source lacks, found", [(k, found[k], count[k]) for k in count])
    table("and what was found is such", [("all", all_found - wrong, all_found)])
    table("answers that the source supports, believed", [("all", clean, supported)])
    assert all(found[k] / count[k] >= least for k in count)
    assert 1 - wrong / all_found >= precise
    assert clean / supported >= believed


@pytest.mark.skipif(SANITIZED, reason="sanitizers slow pieces of code down unevenly")
def test_hostile_answers_take_no_longer():
    """Neither a source nor an answer of one piece takes more than ten times the time of usual ones."""
    size, times = 40_000, 10
    rows = [json.loads(x) for x in (DATA / "grounded.jsonl").read_text().splitlines()]
    source, answer = (" ".join(row[k] for row in rows).encode()[:size].decode(errors="ignore") for k in ("source", "answer"))
    start = seconds("grounded", {"source": "", "answer": ""}, 1)
    fair = max(0.02, seconds("grounded", {"source": source, "answer": answer}, times) - start)
    for piece in ['"', "9,", "\u201ca b", "1 ", "1,000 ", "Name ", "Ab Cd ", "may ", "1/2 ", "two and ", "A100 ", "12:30 ", "3 May ",
                  "NATO ", "half an hour ", "1 to 2 to ", "$m ", "dreiundzwanzig", "J. ", "... "]:
        text = piece * (size // len(piece.encode()))
        for pair in ({"source": text, "answer": answer}, {"source": source, "answer": text}, {"source": text, "answer": text}):
            spent = seconds("grounded", pair, times) - start
            assert spent <= 10 * fair, f"{piece!r}: {spent:.2f} s, {fair:.2f} s is usual"
    for one, other in [("a ", '"aaaaaa aaaaab" '), ("Q1 ", "Q2 "), ("3/4 ", "5/6 "), ("1987 ", "1986 "), ("3 and 3 of 3 May ", "4 May "),
                       ("3 May ", "4 Jun "), ("x ", "3/4 ")]:
        pair = {"source": one * (size // len(one)), "answer": other * (size // len(other))}
        spent = seconds("grounded", pair, times) - start
        assert spent <= 10 * fair, f"{one!r} and {other!r}: {spent:.2f} s, {fair:.2f} s is usual"
