#!/usr/bin/env python3
"""Makes guards/injection.model from the corpora, and says how well it does on texts that it has not seen.

    guards/train.py CHECK_GUARDS [--write]

A linear model by logistic regression (scikit-learn's liblinear, on Debian python3-sklearn) over the features that
`check-guards features` prints, part by part. A text is as bad as its worst part: the parts of an attack that do the deed
are found by training in rounds. Rare features are held back less than common ones (by the logarithm of how rare they
are), and a part's sum is divided by the root of its number of features: both made a third of the misses hits.

Files of training/ with the same letters are of one author. An author's texts are scored by a model of seven eighths of the others: that
gives the figures, and the border (FALSE of those innocent texts are above it). Texts of tests/data/*_held.jsonl are never
trained on; `./dev test` prints how they fare. Deterministic; five minutes."""
import json
import math
import pathlib
import subprocess
import sys

import numpy
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.linear_model import LogisticRegression

FEATURES = 2 * 2 ** 16 + 3 * 2 ** 18 + 64 * 64 + 32
ROUNDS, C, WEIGHT, RARE = 3, 30, 0.6, 1.8
ALARM, FALSE, FOLDS = 0.6, 0.018, 8
GUARDS = pathlib.Path(__file__).parent
DATA = GUARDS.parent / "tests/data"


class Texts:
    """Parts of texts as rows, and which text each is of."""

    def __init__(self, program, files):
        rows, self.owner, self.size, self.count = [], [], [], 0
        for file in files:
            with open(file) as text:
                out = subprocess.run([program, "features"], stdin=text, capture_output=True, text=True, check=True)
            for line in out.stdout.splitlines():
                parts = [part for part in json.loads(line) if part] or [[]]
                rows += parts
                self.owner += [self.count] * len(parts)
                self.count += 1
        self.size = numpy.array([len(part) for part in rows], float)
        values = numpy.concatenate([numpy.full(len(part), max(1, len(part)) ** -0.5) for part in rows])
        starts = numpy.concatenate([[0], numpy.cumsum([len(part) for part in rows])])
        self.rows = csr_matrix((values, [f for part in rows for f in part], starts), shape=(len(rows), FEATURES))
        self.rows.sum_duplicates()
        self.owner = numpy.array(self.owner)

    def worst(self, scores):
        out = numpy.full(self.count, -numpy.inf)
        numpy.maximum.at(out, self.owner, scores)
        return out


def worst_parts(texts, scores):
    """The row of the worst part of each text."""
    order = numpy.lexsort((-scores, texts.owner))
    return order[numpy.unique(texts.owner[order], return_index=True)[1]]


def train(attacks, innocent):
    seen = numpy.asarray((attacks.rows > 0).sum(0) + (innocent.rows > 0).sum(0)).ravel()
    rare = (numpy.log((1 + attacks.rows.shape[0] + innocent.rows.shape[0]) / (1 + seen)) + 1) ** RARE
    bad, good = (attacks.rows @ diags(rare)).tocsr(), (innocent.rows @ diags(rare)).tocsr()
    scores = attacks.size
    for _ in range(ROUNDS):
        chosen = worst_parts(attacks, scores)
        weights = numpy.r_[numpy.full(len(chosen), WEIGHT * good.shape[0] / len(chosen)), numpy.ones(good.shape[0])]
        model = LogisticRegression(C=C, solver="liblinear", max_iter=300, random_state=1)
        model.fit(vstack([bad[chosen], good]), numpy.r_[numpy.ones(len(chosen)), numpy.zeros(good.shape[0])], weights)
        scores = model.decision_function(bad)
    return model.coef_[0] * rare


def quantize(weights):
    """Whole numbers of 8 bits, and what they are multiples of; the few that are larger are cut."""
    unit = numpy.quantile(numpy.abs(weights[weights != 0]), 0.9999) / 127
    return numpy.clip(numpy.round(weights / unit), -127, 127), unit


def merged(sets):
    """Several Texts as one."""
    out = Texts.__new__(Texts)
    out.rows = vstack([s.rows for s in sets]).tocsr()
    out.size = numpy.concatenate([s.size for s in sets])
    before = numpy.cumsum([0] + [s.count for s in sets])
    out.owner = numpy.concatenate([s.owner + n for s, n in zip(sets, before)])
    out.count = before[-1]
    return out


def calibrate(attacks, innocent):
    """The border, and what makes of a sum the odds that it is an attack (Platt 1999), by texts of authors left out."""
    bad, good = [], []
    authors = sorted(set(attacks) & set(innocent))
    for out in (authors[i::FOLDS] for i in range(FOLDS)):
        weights = train(merged([t for a, t in attacks.items() if a not in out]),
                        merged([t for a, t in innocent.items() if a not in out]))
        bad += [attacks[a].worst(attacks[a].rows @ weights) for a in out]
        good += [innocent[a].worst(innocent[a].rows @ weights) for a in out]
    own = [(b > numpy.quantile(g, 1 - 0.02)).mean() for b, g in zip(bad, good)]
    bad, good = numpy.concatenate(bad), numpy.concatenate(good)
    border = numpy.sort(good)[::-1][int(FALSE * len(good))]
    print(f"authors left out: {(bad > border).mean():.3f} of {len(bad)} at {FALSE:.1%} false alarms of {len(good)}; "
          f"each at 2 % of its own: {', '.join(f'{x:.2f}' for x in own)}")
    odds = LogisticRegression(C=1e6).fit(numpy.r_[bad, good][:, None],
                                         numpy.r_[numpy.ones(len(bad)), numpy.zeros(len(good))])
    return border, odds.coef_[0][0]


def by_author(program, name, kind):
    """Texts by the letters of their file; those of tests/data have none."""
    files = {file.stem.split("_")[1]: file for file in (GUARDS / "training").glob(f"{name}_*.jsonl")}
    return {author: Texts(program, [file]) for author, file in sorted(files.items())} | \
        {"": Texts(program, [DATA / f"{kind}.jsonl"])}


def main():
    program = sys.argv[1]
    attacks, innocent = by_author(program, "attacks", "injections"), by_author(program, "innocent", "innocent")
    border, slope = calibrate(attacks, innocent)
    if "--write" in sys.argv:
        weights, unit = quantize(train(merged(list(attacks.values())), merged(list(innocent.values()))))
        bias = math.log(ALARM / (1 - ALARM)) - border * slope
        head = numpy.array([round(bias * 1e6), round(unit * slope * 1e6)], "<i4")
        (GUARDS / "injection.model").write_bytes(head.tobytes() + weights.astype("i1").tobytes())


if __name__ == "__main__":
    main()
