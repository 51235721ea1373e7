#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""baselines.py: majority, random forest and gradient boosting on flow statistics from token files.

Reads the .npz files of `wirespeak tokenize` (train, val, test) and scores on the test part, on the flows that carry a
label. Features are made from tokens that the policy identity-free keeps: no address, port, TTL, VLAN or checksum. Two
rows a classifier: "headers" (direction, length, gap, TCP flags and window of the first 16 packets, and totals), and
"payload" (the same, and the first 16 payload bytes of the first two packets that have any). Bins are those of the
tokens; a field that was not coded, because it was as predicted, is -1.

Needs Debian's python3-numpy and python3-sklearn.
"""
import argparse
import json
import sys
import time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score

PACKETS, BYTES, DATA_PACKETS = 16, 16, 2
COLUMNS = ("dir", "len", "gap", "tcp.flags", "tcp.window")


def group_of(name):
    """'tcp.flags=SYN' -> 'tcp.flags'; 'c2s gap=2..3' -> 'c2s gap'."""
    return name.split("=", 1)[0]


def text_of(name):
    """The bytes of a text token: \\x00 to \\xff stand for what cannot be printed."""
    out, rest = [], name.split("=", 1)[1]
    while rest:
        escaped = rest.startswith("\\x")
        out.append(int(rest[2:4], 16) if escaped else ord(rest[0]))
        rest = rest[4 if escaped else 1:]
    return out


class Vocabulary:
    """For every token id: its value in each column (-1: none), and the payload bytes that it stands for."""

    def __init__(self, names):
        self.value = np.full((len(names), len(COLUMNS)), -1)
        self.text = {}
        seen = {}
        self.end = -1
        for i, name in enumerate(names):
            group = group_of(name)
            number = seen.setdefault(group, 0)
            seen[group] += 1
            if name.startswith(("c2s ", "s2c ")):  # one token: who sends, and when
                self.value[i, COLUMNS.index("dir")] = name.startswith("s2c")
                self.value[i, COLUMNS.index("gap")] = number + 1 if "gap=" in name else 0
            elif group in COLUMNS:
                self.value[i, COLUMNS.index(group)] = number
            elif group == "text":
                self.text[i] = text_of(name)
            elif name == "flow.end":
                self.end = i
        if self.end < 0 or not self.text or not (self.value.max(axis=0) > 0).all():
            sys.exit("baselines.py: this vocabulary is not the one that it knows")


def packet_table(ids, packet_off, vocabulary):
    """[packets][columns]: value of the packet's token in each column, -1 where there is none."""
    owner = np.repeat(np.arange(len(packet_off) - 1), np.diff(packet_off.astype(int)))
    table = np.full((len(packet_off) - 1, len(COLUMNS)), -1, dtype=np.int16)
    for c in range(len(COLUMNS)):
        value = vocabulary.value[ids, c]
        at = np.flatnonzero(value >= 0)[::-1]  # backwards, so that the first token of a kind stays
        table[owner[at], c] = value[at]
    return table


def totals(rows):
    """Counts and sums over the packets of a flow: one number each."""
    both = []
    for direction in (0, 1):
        mine = rows[rows[:, 0] == direction]
        length = mine[:, 1]
        data = length[length > 0]
        both += [len(mine), len(data), length.sum() if len(mine) else 0, length.max() if len(mine) else -1,
                 data.mean() if len(data) else -1, data.std() if len(data) else -1,
                 mine[:, 2].mean() if len(mine) else -1]
    return both


def flow_features(rows):
    first = np.full((PACKETS, len(COLUMNS)), -1.0)
    n = min(PACKETS, len(rows))
    first[:n] = rows[:n]
    signed = np.where(first[:, 0] == 1, -first[:, 1], first[:, 1])
    return np.concatenate([first.ravel(), signed, [len(rows)], totals(rows)])


def flow_bytes(ids, packet_off, begin, end, vocabulary):
    out = np.full(DATA_PACKETS * BYTES, -1.0)
    done = 0
    for p in range(begin, end):
        t = [b for i in ids[packet_off[p]:packet_off[p + 1]] for b in vocabulary.text.get(i, ())][:BYTES]
        if t:
            out[done * BYTES:done * BYTES + len(t)] = t
            done += 1
            if done == DATA_PACKETS:
                break
    return out


def load(path, head):
    """Features without and with payload, labels, names of the labels."""
    with np.load(path) as f:
        meta = json.loads(f["meta"].tobytes())
        ids, packet_off, flow_off = f["ids"], f["packet_off"].astype(int), f["flow_off"].astype(int)
        names = [h["name"] for h in meta["heads"]]
        if not names or (head and head not in names):
            sys.exit(f"baselines.py: {path} has no label head {head or ''}".rstrip())
        head = head or names[0]
        labels = f["label_" + head]
    vocabulary = Vocabulary(meta["vocab"])
    table = packet_table(ids, packet_off, vocabulary)
    chosen = np.flatnonzero(labels >= 0)
    statistics, payload = [], []
    for i in chosen:
        begin, end = flow_off[i], flow_off[i + 1]
        if end > begin and ids[packet_off[end - 1]] == vocabulary.end:
            end -= 1  # the pseudo-packet that says that the flow ended
        statistics.append(flow_features(table[begin:end]))
        payload.append(flow_bytes(ids, packet_off, begin, end, vocabulary))
    if not statistics:
        sys.exit(f"baselines.py: {path} has no labelled flow")
    label_names = next(h["labels"] for h in meta["heads"] if h["name"] == head)
    x = np.array(statistics, dtype=np.float32)
    return x, np.hstack([x, np.array(payload, dtype=np.float32)]), labels[chosen], label_names, head


def score(truth, said):
    """Accuracy, and F1 averaged over the classes that occur in the truth, as `wirespeak eval` does."""
    return accuracy_score(truth, said), f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0)


def forest(seed, jobs):
    return RandomForestClassifier(400, random_state=seed, n_jobs=jobs)


def boosting(seed, iterations):
    # 256 bins are the most that it takes; no early stopping, which would split flows of one capture.
    return HistGradientBoostingClassifier(max_iter=iterations, learning_rate=0.1, early_stopping=False,
                                          l2_regularization=1.0, random_state=seed)


def run(name, features, make, seeds, train, test, log):
    rows = []
    for seed in seeds:
        begin = time.monotonic()
        model = make(seed).fit(train[0], train[1])
        rows.append(score(test[1], model.predict(test[0])))
        log(f"{name} {features} seed {seed}: {rows[-1][0]:.4f} / {rows[-1][1]:.4f} in {time.monotonic() - begin:.0f} s")
    r = np.array(rows)
    return {"baseline": name, "features": features, "seeds": list(seeds),
            "accuracy": r[:, 0].mean(), "accuracy_std": r[:, 0].std(), "macro_f1": r[:, 1].mean(),
            "macro_f1_std": r[:, 1].std()}


def arguments():
    p = argparse.ArgumentParser(description="Baselines on the token files of wirespeak tokenize.")
    p.add_argument("train", nargs="+", help="token files to learn from (.npz)")
    p.add_argument("--test", required=True, help="token file to score on")
    p.add_argument("--head", help="label head (default the first)")
    p.add_argument("--seeds", type=int, nargs="+", default=[1])
    p.add_argument("--jobs", type=int, default=1, help="threads of the forest (default 1)")
    p.add_argument("--iterations", type=int, default=100, help="rounds of boosting, one tree a class each (default 100)")
    p.add_argument("--only", nargs="+", choices=("forest", "boosting"), default=("forest", "boosting"))
    p.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return p.parse_args()


def print_table(result):
    print(f"{result['head']}: {result['train_flows']} flows to learn, {result['test_flows']} to score, "
          f"{result['test_classes']} classes")
    print(f"{'baseline':<12} {'features':<9} {'accuracy':>16} {'macro-F1':>16}")
    for r in result["rows"]:
        print(f"{r['baseline']:<12} {r['features']:<9} {r['accuracy']:8.4f} ±{r['accuracy_std']:.4f}"
              f" {r['macro_f1']:8.4f} ±{r['macro_f1_std']:.4f}")


def main():
    a = arguments()
    parts = [load(path, a.head) for path in a.train]
    x, xp, y, names, head = parts[0]
    test_x, test_xp, test_y, test_names, _ = load(a.test, head)
    if any(p[3] != names for p in parts) or test_names != names:
        sys.exit("baselines.py: the files differ in the labels of the head: tokenize them with the same list")
    if len(parts) > 1:
        x, xp, y = (np.concatenate([p[i] for p in parts]) for i in range(3))
    majority = np.full(len(test_y), np.bincount(test_y).argmax())
    accuracy, f1 = score(test_y, majority)
    rows = [{"baseline": "majority", "features": "-", "seeds": [], "accuracy": accuracy, "accuracy_std": 0.0,
             "macro_f1": f1, "macro_f1_std": 0.0}]
    log = lambda text: print(text, file=sys.stderr, flush=True)
    makers = {"forest": lambda s: forest(s, a.jobs), "boosting": lambda s: boosting(s, a.iterations)}
    for name in a.only:
        rows.append(run(name, "headers", makers[name], a.seeds, (x, y), (test_x, test_y), log))
        rows.append(run(name, "payload", makers[name], a.seeds, (xp, y), (test_xp, test_y), log))
    result = {"head": head, "train_flows": len(y), "test_flows": len(test_y), "test_classes": len(np.unique(test_y)),
              "rows": rows}
    if a.json:
        print(json.dumps(result))
    else:
        print_table(result)


if __name__ == "__main__":
    main()
