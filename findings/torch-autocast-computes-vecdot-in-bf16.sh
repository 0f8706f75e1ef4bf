#!/usr/bin/env bash
# torch 2.13.0 (CPU), found 2026-11-28.
#
# Under torch.autocast to bfloat16 a distribution's entropy has three digits where it is written as a
# dot product, torch.linalg.vecdot(p, logp) or einsum("nv,nv->n"), and all of fp32's where it is
# written as (p * logp).sum(-1): autocast takes vecdot and einsum for matrix products, casts both
# fp32 arguments to bfloat16 and returns bfloat16. torch.dot, the same product of one row, stays in
# fp32. So a monitor or a token weight that is taken inside of a mixed-precision forward pass loses
# its precision without a word, though logits were cast up before.
#
# Seen: vecdot and einsum torch.bfloat16, with a relative error of 1e-3 or more; sum and dot
# torch.float32.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch

torch.manual_seed(0)
logp = torch.randn(8, 1000).log_softmax(-1)
p = logp.exp()
exact = (p.double() * logp.double()).sum(-1)
ways = {
    "vecdot": lambda: torch.linalg.vecdot(p, logp),
    "einsum": lambda: torch.einsum("nv,nv->n", p, logp),
    "sum": lambda: (p * logp).sum(-1),
    "dot": lambda: torch.stack([torch.dot(a, b) for a, b in zip(p, logp)]),
}
found = {}
with torch.autocast("cpu", torch.bfloat16):
    for name, way in ways.items():
        value = way()
        error = ((value.double() - exact) / exact).abs().max().item()
        found[name] = (value.dtype, error > 1e-4)
        print(f"{name}: {value.dtype}, relative error {error:.1e}")
expected = dict.fromkeys(("vecdot", "einsum"), (torch.bfloat16, True))
expected |= dict.fromkeys(("sum", "dot"), (torch.float32, False))
sys.exit(found != expected)
PYTHON
