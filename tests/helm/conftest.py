"""The tools that the tests use: the real helm and kubeconform, and schemas of all kinds that the chart makes."""
import os
import pathlib
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/quern"
TOOLS = pathlib.Path(os.environ["QUERN_KUBE_TOOLS"])
RELEASE, NAMESPACE = "r", "batch"


def helm(*args, code=0):
    done = subprocess.run([TOOLS / "helm", *args], capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def render(values=None, files=(), sets=(), code=0):
    """The objects of a release; with another exit code, what helm says."""
    args = ["template", RELEASE, CHART, "--namespace", NAMESPACE, "--include-crds"]
    for f in files:
        args += ["-f", f]
    for s in sets:
        args += ["--set", s]
    if values is not None:
        done = subprocess.run([TOOLS / "helm", *args, "-f", "-"], input=yaml.safe_dump(values), capture_output=True,
                              text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
    else:
        done = helm(*args, code=code)
    if code:
        return done.stderr
    return [x for x in yaml.safe_load_all(done.stdout) if x]


@pytest.fixture(scope="session")
def tools():
    return TOOLS
