#!/usr/bin/env bash
# trl 1.16.0 (transformers 5.19.0), DPOTrainer without a ref_model. One would guess that the reference is the
# policy as it was given, so that DPO begins at log-ratios of 0, a loss of log 2 and rewards of 0. It is whatever
# lies under the name in model.config: the trainer loads those weights anew. A model that was changed since it was
# loaded (fine-tuned in the same script, merged, averaged, re-initialised) is so held against what it was before,
# and is pulled back to it. With precompute_ref_log_probs=True, which one would take for a matter of memory alone,
# the reference is the model that was given. Seen at the first step, for a model whose weights were changed in
# memory, with the same rows and beta 0.1:
#
#   reference                          loss     rewards/chosen   rewards/rejected
#   none given                         0.6703   -0.0216          -0.0677
#   none given, precomputed            0.6931    0                0
#   a deep copy of the model           0.6931    0                0
#   none given, saved and loaded       0.6931    0                0
#
# No message tells of it, and rewards of that size at step 1 look like those of any later step. Instead: save the
# policy and load it before DPO, or give a ref_model.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv --without-pip "$folder/venv"
"${PYTHON:-python3.11}" -m pip --python "$folder/venv/bin/python" install -q --no-compile \
    torch==2.13.0 transformers==5.19.0 trl==1.16.0 datasets==5.2.0 accelerate==1.15.0
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" OMP_NUM_THREADS=1
venv/bin/python - <<'PYTHON' 2> log || { status=$?; tail -20 log >&2; exit $status; }
import copy
import math
import sys

import torch
import transformers
import trl
from datasets import Dataset, disable_progress_bars
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

assert (trl.__version__, transformers.__version__) == ("1.16.0", "5.19.0")
disable_progress_bars()
transformers.utils.logging.disable_progress_bar()
ids = {token: n for n, token in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), "<pad>", "<eos>"])}
bytes_alone = Tokenizer(models.BPE(vocab=ids, merges=[]))
bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_alone, pad_token="<pad>", eos_token="<eos>")
config = Qwen2Config(
    vocab_size=len(ids), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, bos_token_id=None, eos_token_id=ids["<eos>"], pad_token_id=ids["<pad>"],
)  # fmt: skip
torch.manual_seed(0)
Qwen2ForCausalLM(config).save_pretrained("base")
rows = Dataset.from_list(
    [
        {"prompt": "1+1=", "chosen": "2", "rejected": "3"},
        {"prompt": "2+2=", "chosen": "4", "rejected": "5"},
    ]
)


def changed():
    """The model as loaded, its weights then changed, as training in this process would."""
    model = AutoModelForCausalLM.from_pretrained("base")
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=generator)
    return model


def first_step(model, ref_model=None, **arguments):
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=ref_model,
        args=trl.DPOConfig(
            "out", max_steps=1, per_device_train_batch_size=2, logging_steps=1, save_strategy="no", report_to=[],
            use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True, beta=0.1, **arguments,
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    log = trainer.state.log_history[0]
    return [log[key] for key in ("loss", "rewards/chosen", "rewards/rejected")]


saved = changed()
saved.save_pretrained("changed")
found = {
    "none given": first_step(changed()),
    "none given, precomputed": first_step(changed(), precompute_ref_log_probs=True),
    "a deep copy of the model": first_step(changed(), copy.deepcopy(saved)),
    "none given, saved and loaded": first_step(AutoModelForCausalLM.from_pretrained("changed")),
}
same = True
for name, (loss, chosen, rejected) in found.items():
    print(f"{name:30} loss {loss:.4f}  rewards {chosen:.4f} {rejected:.4f}")
    zero = math.isclose(loss, math.log(2), abs_tol=1e-5) and max(abs(chosen), abs(rejected)) < 1e-5
    same &= zero == (name != "none given")
same &= abs(found["none given"][1]) > 1e-3
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
