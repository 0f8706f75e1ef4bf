"""Pretrain a miniature base model from random weights, on text of the synthetic world.

    python -m rectify.pretrain --settings SETTINGS --rows rows.parquet --out FOLDER

SETTINGS is JSON, or a file of it: a model's `pretrain` block as
`python -m rectify.study config/mini.yaml --pretrain qwen2-mini` prints it. The output is an
ordinary transformers folder: weights, config, a byte-level BPE tokenizer in which every digit and
operator is a token of its own, and a chat template.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedTokenizerFast,
)

from rectify.io import json_or_file, run_step, step_parser
from rectify.tokenizer import encode_rows
from rectify.train import fingerprint, prepare_state, train

EOS, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def build_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on `texts`; digits and operators never merge."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[0-9+\-*/%=]"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[EOS, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=EOS, pad_token=EOS, chat_template=CHAT_TEMPLATE
    )


def build_model(architecture: str, shape: dict, tokenizer: PreTrainedTokenizerFast) -> nn.Module:
    """A causal LM with random weights; `shape` holds fields of the transformers config."""
    config = AutoConfig.for_model(
        architecture,
        vocab_size=len(tokenizer),
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **shape,
    )
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = SimpleNamespace(**arguments.settings, objective="sft", checkpoints=[])
    rows, out = pd.read_parquet(arguments.rows), Path(arguments.out)
    torch.manual_seed(settings.seed)
    texts = (rows["problem"] + "\n" + rows["solution"]).tolist()
    tokenizer = build_tokenizer(texts, settings.vocabulary)
    model = build_model(settings.architecture, settings.shape, tokenizer)
    print(f"{settings.architecture}: {model.num_parameters():,} parameters", flush=True)
    examples, _ = encode_rows(
        tokenizer,
        settings.prompt,
        rows["problem"].tolist(),
        rows["solution"].tolist(),
        settings.max_length,
    )
    state = Path(arguments.state or f"{out}.state")
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        prepare_state(state, fingerprint(arguments.settings, Path(arguments.rows), Path(folder)))
        train(model, None, examples, settings, Path(folder), out, state)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("pretrain", __doc__)
    options.add_argument("--settings", required=True, type=json_or_file, help="as JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--out", required=True, help="folder to write the model to")
    options.add_argument("--state", help="folder for resume checkpoints (default: OUT.state)")
    return options


if __name__ == "__main__":
    run_step(main, parser())
