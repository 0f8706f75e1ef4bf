#!/usr/bin/env bash
# Run by Snakemake when the conda environment of gpu.yaml has been made, from the project's root.
set -euo pipefail
PYTHON=python VIRTUAL=none envs/install.sh gpu
