"""Make a miniature model: random weights, and a tokenizer trained on the pretraining text.

    rectify initialise_model --settings SETTINGS --rows rows.parquet --out FOLDER

SETTINGS is a file of JSON: `rectify show_settings config/mini.yaml initialise_model
qwen2-mini base-seed0` prints it. The output is an ordinary transformers folder: weights, config, a
byte-level BPE tokenizer in which every digit and operator is a token of its own, and a chat
template. From there `rectify train` pretrains it.
"""

from __future__ import annotations

import argparse

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedTokenizerFast,
)

from rectify.data.rows import read_rows
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.files import replacing

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
    settings = Settings(**arguments.settings)
    rows = read_rows(arguments.rows)
    torch.manual_seed(settings.seed)
    texts = (rows["problem"] + "\n" + rows["solution"]).tolist()
    tokenizer = build_tokenizer(texts, settings.vocabulary)
    model = build_model(settings.architecture, settings.shape, tokenizer)
    print(f"{settings.architecture}: {model.num_parameters():,} parameters", flush=True)
    with replacing(arguments.out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("initialise_model", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--out", required=True, help="folder to write the model to")
    return options
