"""Trains a few rows in the test's own process."""

from types import SimpleNamespace

import torch
from helpers import SETTINGS
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.training.checkpoints import prepare_state
from rectify.training.train import train
from safetensors.torch import load_file


def examples_of(folder, rows, count=64):
    """The first rows as token ids."""
    return encode_rows(load_tokenizer(folder), "chat", rows.head(count), 128)[0]


def with_rewards(rows):
    """The rows with rewards 0 to 1, in fifths."""
    return rows.assign(reward=[index % 6 / 5 for index in range(len(rows))])


def run(folder, examples, out, state=None, reference=None, **changes):
    """Train in this process; returns the weights."""
    settings = SimpleNamespace(**{**SETTINGS, **changes})
    torch.manual_seed(0)
    state = state or out.with_suffix(".state")
    prepare_state(state, "test")
    model = load_model(folder, settings.precision)
    other = load_model(reference, settings.precision) if reference else None
    train(model, examples, settings, folder, out, state, reference=other)
    return load_file(out / "model.safetensors")
