"""The JSON Schemas, their examples, and the C parser agree."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
BIN = pathlib.Path(os.environ.get("QUERN_BIN", ROOT / "build/debug/bin"))
KINDS = ["task", "dead_letter", "result"]
EXAMPLES = sorted((SCHEMAS / "examples").glob("*/*/*.json"))


def validator(kind):
    schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_has_good_and_bad_examples(kind):
    validator(kind)
    for verdict in ("valid", "invalid"):
        assert [e for e in EXAMPLES if e.parts[-3:-1] == (kind, verdict)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: "/".join(p.parts[-3:]))
def test_the_schema_judges_each_example_rightly(path):
    kind, verdict = path.parts[-3:-1]
    errors = list(validator(kind).iter_errors(json.loads(path.read_text())))
    assert bool(errors) == (verdict == "invalid"), errors


def test_the_c_parser_judges_tasks_as_the_schema_does():
    paths = [str(p) for p in EXAMPLES if p.parts[-3] == "task"]
    out = subprocess.run([BIN / "check-task", *paths], capture_output=True, text=True, check=True)
    lines = out.stdout.splitlines()
    assert len(lines) == len(paths)
    for path, line in zip(paths, lines):
        assert line.startswith("bad" if "/invalid/" in path else "ok"), line
