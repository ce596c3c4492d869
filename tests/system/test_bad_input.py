"""The whole input is checked before anything is sent: every mistake, with its line."""
import json

import pytest

from helpers import request, write_batch, write_lines
from helpers_kafka import Client

pytestmark = pytest.mark.timeout(60)
GOOD = request("first", "hello")
BODY = {"model": "m", "messages": []}
URL = "/v1/chat/completions"


def line(**changes):
    """A good line with changes; None takes a member away."""
    merged = {**request("second", "hi"), **changes}
    return {k: v for k, v in merged.items() if v is not None}


BATCH = {
    "bad JSON": (b"{not json}", "JSON"),
    "cut off JSON": (b'{"custom_id": "x", "url"', "JSON"),
    "two values": (b"{} {}", "JSON"),
    "too deep": (b"[" * 100_000, "JSON"),
    "an array": (b"[1, 2]", "object"),
    "a number": (b"17", "object"),
    "no custom_id": (line(custom_id=None), "custom_id"),
    "custom_id no text": (line(custom_id=7), "custom_id"),
    "custom_id empty": (line(custom_id=""), "custom_id"),
    "custom_id with a NUL": (line(custom_id="a\0b"), "u0000"),
    "custom_id with a newline": (line(custom_id="a\nb"), "custom_id"),
    "custom_id half a character": (b'{"custom_id": "\\ud800", "url": "/v1/embeddings",'
                                   b' "body": {"model": "m"}}', ""),
    "custom_id too long": (line(custom_id="x" * 513), "custom_id"),
    "custom_id repeated": (line(custom_id="first"), "line 1"),
    "custom_id repeated, escaped": (b'{"custom_id": "\\u0066irst", "url": "/v1/chat/completions",'
                                    b' "body": {"model": "m", "messages": []}}', "line 1"),
    "method": (line(method="GET"), "method"),
    "no url": (line(url=None), "url"),
    "unknown url": (line(url="/v1/chat/completion"), "/v1/chat/completions"),
    "no body": (line(body=None), "body"),
    "body a text": (line(body="hello"), "body"),
    "body an array": (line(body=[BODY]), "body"),
    "body null": (b'{"custom_id": "x", "url": "/v1/embeddings", "body": null}', "body"),
    "no model": (line(body={"messages": []}), "model"),
    "a time-out without unit": (line(timeout=30), "timeout"),
    "a fallback of two kinds": (line(fallback={"text": "x", "extract": 1}), "exactly one"),
    "too long": (line(body={**BODY, "x": "y" * 600_000}), "long"),
    "a tenant that is no text": (line(tenant=5), "tenant"),
    "a tenant too long": (line(tenant="t" * 257), "tenant"),
    "a feature that is empty": (line(feature=""), "feature"),
    "invalid UTF-8": (b'{"custom_id": "\xff\xfe"}', "UTF-8"),
    "overlong UTF-8": (b'{"custom_id": "\xc0\xaf"}', "UTF-8"),
    "a surrogate in UTF-8": (b'{"custom_id": "\xed\xa0\x80"}', "UTF-8"),
}


@pytest.fixture(autouse=True)
def nothing_sent(shared):
    """However the input was refused, nothing came into the database or into Kafka."""
    client = Client(shared)
    before = client.sent(), shared.value("SELECT count(*) FROM jobs")
    yield
    after = client.sent(), shared.value("SELECT count(*) FROM jobs")
    client.close()
    assert after == before


def refused(shared, tmp_path, lines, *args, name="in.jsonl"):
    path = write_lines(tmp_path / name, lines)
    err = shared.quern("submit", path, "--job", "bad", *args, code=2).err
    assert "nothing was sent" in err
    return path, err.splitlines()


def complaints(path, err):
    """{line number: message} of the mistakes."""
    head = f"{path}:"
    pairs = (x.removeprefix(head).split(":", 1) for x in err if x.startswith(head))
    return {int(number): text for number, text in pairs}


@pytest.mark.parametrize("bad, word", BATCH.values(), ids=BATCH.keys())
def test_a_bad_batch_line(shared, tmp_path, bad, word):
    path, err = refused(shared, tmp_path, [GOOD, bad, request("third", "bye")])
    found = complaints(path, err)
    assert list(found) == [2] and word in found[2]


def test_all_mistakes_are_reported_at_once(shared, tmp_path):
    bad = [b if isinstance(b, bytes) else json.dumps(b).encode() for b, _ in BATCH.values()]
    lines = [GOOD]
    for b in bad:
        lines += [b, request(f"good-{len(lines)}", "fine")]
    path, err = refused(shared, tmp_path, lines)
    found = complaints(path, err)
    assert set(range(2, len(lines) + 1, 2)) >= set(found)
    assert len(found) >= len(bad) - 2  # some repeat each other's custom_id


def test_the_listing_of_mistakes_has_a_limit(shared, tmp_path):
    path = write_lines(tmp_path / "in.jsonl", [b"{"] * 100)
    err = shared.quern("submit", path, code=2, env={"QUERN_SUBMIT_ERRORS_MAX": "3"}).err
    assert list(complaints(path, err.splitlines())) == [1, 2, 3]
    assert "submit.errors_max" in err and "nothing was sent" in err


ROWS = {
    "a field too few": ("rows.csv", b"id,text\n1,one\n2\n3,three\n", 3, "fields"),
    "a field too many": ("rows.csv", b"id,text\n1,one\n2,b,c\n", 3, "fields"),
    "after a field of two lines": ("rows.csv", b'id,text\n1,"a\nb"\n2\n', 4, "fields"),
    "the same id": ("rows.csv", b"id,text\n1,one\n1,two\n", 3, "line 2"),
    "invalid UTF-8": ("rows.csv", b"id,text\n1,one\n2,\xff\xfe\n", 3, "UTF-8"),
    "an unknown column": ("rows.csv", b"id,words\n1,one\n", 2, "text"),
    "an open quote": ("rows.csv", b'id,text\n1,one\n2,"two\n', 3, ""),
    "no header": ("rows.csv", b"", 1, ""),
    "a row that is no JSON": ("rows.jsonl", b'{"text": "a"}\n{"text": }\n', 2, "JSON"),
    "a row that is no object": ("rows.jsonl", b'{"text": "a"}\n["b"]\n', 2, "object"),
    "an unknown member": ("rows.jsonl", b'{"text": "a"}\n{"words": "b"}\n', 2, "text"),
    "the same custom_id": ("rows.jsonl", b'{"id": 1, "text": "a"}\n{"id": 1, "text": "b"}\n', 2, "line 1"),
    "a binary file": ("text.txt", b"\x7fELF\0\0\xff", 1, "UTF-8"),
    "a file with a NUL": ("text.txt", b"text\0text", 1, "NUL"),
}


@pytest.mark.parametrize("name, content, number, word", ROWS.values(), ids=ROWS.keys())
def test_a_bad_row_or_file(shared, tmp_path, name, content, number, word):
    path = tmp_path / name
    path.write_bytes(content)
    err = shared.quern("submit", path, "--prompt", "Say {{text}}", "-m", "m", code=2).err
    assert f"{path}:{number}: " in err and word in err


@pytest.mark.parametrize("args, word", [
    (["nosuch.jsonl"], "nosuch.jsonl"),
    (["nosuch.txt", "--prompt", "{{text}}", "-m", "m"], "nosuch.txt"),
    ([], "FILE"),
    (["in.jsonl", "--priority", "urgent"], "urgent"),
    (["in.jsonl", "--deadline", "soon"], "soon"),
    (["in.jsonl", "--format", "xml"], "xml"),
    (["in.jsonl", "--job", ""], "name"),
    (["in.jsonl", "--tenant", ""], "tenant"),
    (["in.jsonl", "--model", "m"], "--model"),
    (["in.jsonl", "--nonsense"], "--nonsense"),
    (["in.csv", "--prompt", "{{text}}"], "--model"),
])
def test_bad_usage(shared, args, word):
    write_batch(shared.path / "in.jsonl", 1)
    assert word in shared.quern("submit", *args, code=2).err


def test_an_empty_input(shared, tmp_path):
    for content in (b"", b"\n\n"):
        (tmp_path / "in.jsonl").write_bytes(content)
        assert "no task" in shared.quern("submit", tmp_path / "in.jsonl", code=2).err


def test_dry_run_counts_and_sends_nothing(shared, tmp_path):
    path = write_batch(tmp_path / "in.jsonl", 20, max_tokens=100)
    out = shared.quern("submit", path, "--dry-run").out
    numbers = dict(x.rsplit("  ", 1) for x in out.splitlines())
    numbers = {k.strip(): v.strip() for k, v in numbers.items()}
    assert numbers["tasks"] == "20"
    assert numbers["output tokens, about"] == "2000"
    assert float(numbers["cost, about"].strip("$")) == pytest.approx(
        (2000 * 0.60 + int(numbers["input tokens, about"]) * 0.15) / 1e6)
