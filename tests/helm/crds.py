#!/usr/bin/env python3
"""crds.py OUT FILE…: JSON schemas for kubeconform from the CRDs in YAML files, strict as those of Kubernetes: what is
not in them is refused."""
import json
import pathlib
import sys

import yaml


def strict(schema):
    """Objects with properties have no others, unless the CRD keeps what it does not know."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema \
                and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema["additionalProperties"] = False
        for value in schema.values():
            strict(value)
    elif isinstance(schema, list):
        for value in schema:
            strict(value)
    return schema


def main(out, files):
    for file in files:
        for crd in yaml.safe_load_all(pathlib.Path(file).read_text(encoding="utf-8")):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            for version in crd["spec"]["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                name = f"{crd['spec']['names']['kind'].lower()}_{version['name']}.json"
                (pathlib.Path(out) / name).write_text(json.dumps(schema), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
