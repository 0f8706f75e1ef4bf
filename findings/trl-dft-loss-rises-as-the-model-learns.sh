#!/usr/bin/env bash
# trl 1.16.0 (transformers 5.19.0), SFTTrainer with loss_type="dft". One would guess that its loss is to be read as
# any other: it falls while the model learns, and the checkpoint with the lowest eval_loss on held-out rows is the
# best one. A token's weight is its own probability, and what is logged is the weighted mean, -p log p: it is 0 for
# p = 1 and for p = 0, and greatest at p = 1/e. A token that is learnt from nothing has its loss rise first, and
# tokens of which the model knows nothing do not count. Seen, eight sums learnt by a model with random weights,
# evaluated on the same rows, the NLL computed beside it:
#
#   step   eval_loss   NLL    tokens right
#    0     0.021       5.57   0.00
#   10     0.075       3.97   0.62
#   20     0.217       2.42   0.88
#   30     0.313       1.21   1.00
#   40     0.215       0.55   1.00
#   50     0.133       0.19   1.00
#
# load_best_model_at_end, which goes by eval_loss, so ends with the weights of step 10, the worst of those saved.
# Early stopping by it would end such a run at once, and it cannot be compared with the eval_loss of an SFT run; no
# NLL is logged beside it. Instead: choose by mean_token_accuracy, or by an NLL that is computed apart.
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
import sys

import torch
import transformers
import trl
from datasets import Dataset, disable_progress_bars
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

assert (trl.__version__, transformers.__version__) == ("1.16.0", "5.19.0")
disable_progress_bars()
ids = {token: n for n, token in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), "<pad>", "<eos>"])}
bytes_alone = Tokenizer(models.BPE(vocab=ids, merges=[]))
bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_alone, pad_token="<pad>", eos_token="<eos>")
config = Qwen2Config(
    vocab_size=len(ids), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, bos_token_id=None, eos_token_id=ids["<eos>"], pad_token_id=ids["<pad>"],
)  # fmt: skip
torch.manual_seed(0)
model = Qwen2ForCausalLM(config)
rows = Dataset.from_list([{"prompt": f"{n}+1=", "completion": str(n + 1)} for n in range(1, 9)])
# 5 bytes and the end, of which the answer and the end are learnt
tokens = torch.tensor([tokenizer.encode(row["prompt"] + row["completion"]) + [ids["<eos>"]] for row in rows])
table = {}


class ByHand(transformers.TrainerCallback):
    """Keep eval_loss and the accuracy, and the means of -log p and -p log p, at each evaluation."""

    def on_evaluate(self, args, state, control, metrics, **kwargs):
        with torch.no_grad():
            logp = model(tokens).logits[:, 3:5].log_softmax(-1).gather(-1, tokens[:, 4:, None])
        accuracy = metrics["eval_mean_token_accuracy"]
        means = (-logp).mean().item(), (-logp.exp() * logp).mean().item()
        table.setdefault(state.global_step, (metrics["eval_loss"], accuracy, *means))


trainer = trl.SFTTrainer(
    model,
    trl.SFTConfig(
        "out", loss_type="dft", max_steps=50, per_device_train_batch_size=8, per_device_eval_batch_size=8,
        learning_rate=3e-3, lr_scheduler_type="constant", eval_on_start=True, eval_strategy="steps",
        eval_steps=10, save_strategy="steps", save_steps=10, load_best_model_at_end=True, report_to=[],
        use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
    ),
    train_dataset=rows,
    eval_dataset=rows,
    processing_class=tokenizer,
    callbacks=[ByHand()],
)  # fmt: skip
trainer.remove_callback(transformers.PrinterCallback)
trainer.train()
same = list(table) == [0, 10, 20, 30, 40, 50]
for step, (loss, accuracy, nll, by_hand) in table.items():
    same &= abs(loss - by_hand) < 1e-4
    print(f"step {step:2}: eval_loss {loss:.3f} ({by_hand:.3f} by hand)  NLL {nll:.2f}  tokens right {accuracy:.2f}")
best = trainer.state.best_global_step
print(f"taken for the best: step {best}")
losses, accuracies, nlls, _ = zip(*table.values())
same &= all(later < earlier for earlier, later in zip(nlls, nlls[1:]))
same &= losses[3] > 10 * losses[0] and losses[5] > losses[1]
same &= best == 10 and accuracies[1] < accuracies[5]
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
