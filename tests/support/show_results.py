"""Prints OpenAI Batch output lines for a reader: the file's name and the answer."""
import json
import os
import sys


def answer(line):
    if line["response"] is None:
        return "failed: " + line["error"]["message"]
    body = line["response"]["body"]
    if "choices" not in body:
        return "failed: " + json.dumps(body.get("error", body))
    return body["choices"][0]["message"]["content"]


for text in sys.stdin:
    result = json.loads(text)
    print(f"{os.path.basename(result['custom_id'])}: {answer(result)}")
