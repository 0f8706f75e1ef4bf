#!/usr/bin/env bash
# What only a GPU can show, in six minutes at most (see bench/gpu_check.py):
#
#   bench/gpu_check.sh [--quick]
#
# Prints all it finds and writes train_gpu.json and gpu_check.json to the folder OUT, or
# results/bench. Takes .venv's Python, or PYTHON's; needs torch, transformers with accelerate,
# pandas, pyarrow, and for the comparison trl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
export PYTHONPATH=$PWD:$PWD/workflow${PYTHONPATH:+:$PYTHONPATH}
export HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 TOKENIZERS_PARALLELISM=false PYTHONUNBUFFERED=1
exec "$python" -m bench.gpu_check --out "${OUT:-results/bench}" "$@"
