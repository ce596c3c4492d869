#!/usr/bin/env python3
"""Makes guards/injection_model.c from the corpora, and says how well it does on texts it has not seen.

    guards/train.py CHECK_GUARDS ATTACKS.jsonl,… INNOCENT.jsonl,… [--write]

A linear model by logistic regression over the features that `check-guards features` prints. A text is as bad as its
worst part: the parts of an attack that do the deed are found by training in rounds. Five folds, by text, give the
figures; --write trains on all. Deterministic."""
import json
import math
import pathlib
import random
import subprocess
import sys

FEATURES = 8192 + 8192 + 64 * 64 + 32
SCALE, ROUNDS, EPOCHS, L2, RATE = 16, 4, 12, 0.1, 0.05
ALARM, FALSE = 0.6, 0.018  # at this score so many innocent texts that it has not seen are taken for attacks


def features(program, path):
    with open(path) as text:
        lines = subprocess.run([program, "features"], stdin=text, capture_output=True, text=True,
                               check=True).stdout.splitlines()
    return [[part for part in json.loads(line) if part] or [[]] for line in lines]


def score(weights, bias, part):
    return bias + sum(weights[f] for f in part)


def fit(samples, weights, bias, rng):
    """Stochastic gradient descent; the weights shrink by L2 as they are used."""
    for epoch in range(EPOCHS):
        rng.shuffle(samples)
        rate = RATE / (1 + epoch / 8)
        for part, good in samples:
            z = max(-30, min(30, score(weights, bias, part)))
            error = good - 1 / (1 + math.exp(-z))
            step = rate * error
            bias += step * 0.3
            for f in part:
                weights[f] += step - rate * L2 * weights[f]
    return bias


def train(attacks, innocent, seed=1):
    rng = random.Random(seed)
    weights, bias = [0.0] * FEATURES, -2.0
    calm = [(part, 0) for text in innocent for part in text]
    for turn in range(ROUNDS):
        worst = [(max(text, key=lambda p: score(weights, bias, p)) if turn else max(text, key=len), 1)
                 for text in attacks]
        bias = fit(calm + worst * 2, weights, bias, rng)
    return weights, bias


def quantize(weights, bias):
    return [max(-127, min(127, round(w * SCALE))) for w in weights], round(bias * SCALE)


def worst(model, texts):
    weights, bias = model
    return [max(score(weights, bias, part) for part in text) for text in texts]


def calibrate(model, scores):
    """Moves the bias so that the share FALSE of these scores is above ALARM."""
    weights, bias = model
    border = sorted(scores, reverse=True)[int(FALSE * len(scores))]
    return weights, bias - border + math.log(ALARM / (1 - ALARM))


def folds(attacks, innocent, more_attacks, more_innocent, count=5):
    """Scores of the innocent texts by models that have not seen them."""
    bad, good = [], []
    for k in range(count):
        model = train([a for i, a in enumerate(attacks) if i % count != k] + more_attacks,
                      [t for i, t in enumerate(innocent) if i % count != k] + more_innocent)
        bad += worst(model, attacks[k::count])
        good += worst(model, innocent[k::count])
    border = sorted(good, reverse=True)[int(FALSE * len(good))]
    print(f"not seen in training: recall {sum(s > border for s in bad) / len(bad):.3f} of {len(bad)} at "
          f"{FALSE:.1%} false alarms of {len(good)}")
    return good


def write(model):
    weights, bias = model
    rows = [", ".join(map(str, weights[i:i + 24])) for i in range(0, FEATURES, 24)]
    path = pathlib.Path(__file__).parent / "injection_model.c"
    path.write_text("/* Made by guards/train.py from tests/data. */\n#include \"guards/injection_tables.h\"\n\n"
                    f"const int injection_bias = {bias};\n\n/* clang-format off */\n"
                    "const signed char injection_model[MODEL_FEATURES] = {\n    "
                    + ",\n    ".join(rows) + "};\n")


def main():
    """The corpora that the border is set by and figures are given for come first; training/ has more texts."""
    program, attack_files, innocent_files = sys.argv[1:4]
    attacks = [t for f in attack_files.split(",") for t in features(program, f)]
    innocent = [t for f in innocent_files.split(",") for t in features(program, f)]
    more = pathlib.Path(__file__).parent / "training"
    more_attacks = [t for f in sorted(more.glob("attacks*")) for t in features(program, f)]
    more_innocent = [t for f in sorted(more.glob("innocent*")) for t in features(program, f)]
    scores = folds(attacks, innocent, more_attacks, more_innocent)
    if "--write" in sys.argv:
        write(quantize(*calibrate(train(attacks + more_attacks, innocent + more_innocent), scores)))


if __name__ == "__main__":
    main()
