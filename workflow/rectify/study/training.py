"""Blocks that say what is trained, and how: base models, optimisation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rectify.models.prompts import STYLES
from rectify.step.blocks import Block, Positive, Share
from rectify.study.rows import TrainingData

LearningRate = Annotated[float, Field(gt=0, lt=1)]
Style = Annotated[str, Field(json_schema_extra={"enum": list(STYLES)})]


class LoRA(Block):
    """Low-rank adaptation (peft) of all linear layers but the head; the rest is not trained."""

    rank: Positive = 8
    """r, the rank of each layer's update B A"""
    alpha: Annotated[float, Field(gt=0)] = 16
    """the update is scaled by alpha / rank"""


class Training(Block):
    """Optimisation; the defaults are the paper's."""

    epochs: Annotated[float, Field(gt=0)] = 1.0
    """passes over the rows; a remainder smaller than a batch is dropped"""
    steps: Positive | None = None
    """optimiser steps, instead of `epochs`"""
    batch_size: Positive = 256
    """rows per optimiser step, over all processes"""
    micro_batch_size: Positive = 4
    """rows per forward pass and process; a divisor of batch_size"""
    micro_batches: Literal["least_padding", "sorted"] = "least_padding"
    """how token_mean cuts a batch, longest rows first: few long or many short rows together, padded
    least and with no more tokens than micro_batch_size of the longest, or micro_batch_size rows
    each; the number of micro-batches is the same, and the loss but for rounding"""
    max_length: Positive = 2048
    """tokens of prompt and response"""
    unfit: Literal["drop", "refuse"] | None = None
    """what becomes of unfit rows, which are counted, and the first of them named, in any case: rows
    longer than max_length, or whose prompt fills it, or whose response is EOS alone, or whose
    prompt the chat template refuses. null: those too long are cut on the right, so that they have
    no EOS, the others left out; drop: all are left out; refuse: the study stops before it trains"""
    learning_rate: LearningRate = 5e-5
    """peak learning rate of AdamW"""
    lora: LoRA | None = None
    """train low-rank adapters instead of the weights, into which they are merged at the end; `{}`
    for its defaults, the paper's (v3, Table 9); for objectives only"""
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    """learning-rate schedule after warm-up; cosine and linear end at 0"""
    warmup_ratio: Share = 0.1
    """share of the steps over which the learning rate rises from 0"""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW's decoupled weight decay"""
    betas: tuple[Share, Share] = (0.9, 0.95)
    """AdamW's moment decays"""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """the gradient is clipped to this norm"""
    accumulation: Literal["token_mean", "sum_of_means"] = "token_mean"
    """the loss's denominator: response tokens of the whole batch, or (as the released code) of each
    micro-batch, the gradients then adding up"""
    precision: Literal["fp32", "bf16-mixed", "bf16"] = "fp32"
    """fp32; bf16 compute on fp32 weights and optimiser state; or all of it bf16 (as released)"""
    sharding: Literal["none", "full"] = "none"
    """over several processes: none, each holds the whole model (DDP); full, weights, gradients and
    optimiser state are split (FSDP2)"""
    gradient_checkpointing: bool = False
    """compute activations again in the backward pass, to save memory"""
    save_every: Positive = 50
    """steps between checkpoints from which an interrupted run resumes"""
    log_every: Positive = 1
    """steps between rows of the training log"""

    @model_validator(mode="after")
    def _whole_micro_batches(self) -> Training:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} does not divide "
                f"batch_size {self.batch_size}"
            )
        return self


class Shape(Block):
    """Size of a miniature base model: fields of its transformers config."""

    hidden_size: Positive
    """width"""
    num_hidden_layers: Positive
    """depth"""
    num_attention_heads: Positive
    """query heads; hidden_size / heads is 32, 64 or 128, for vLLM on a CPU"""
    num_key_value_heads: Positive
    """key and value heads"""
    intermediate_size: Positive
    """width of the feed-forward layers"""
    max_position_embeddings: Positive
    """context, in tokens"""
    tie_word_embeddings: bool = False
    """one matrix for input and output embeddings"""

    @model_validator(mode="after")
    def _heads_fit(self) -> Shape:
        heads, keys = self.num_attention_heads, self.num_key_value_heads
        if self.hidden_size % heads or heads % keys:
            raise ValueError(
                f"num_attention_heads {heads} must divide hidden_size {self.hidden_size}, and "
                f"num_key_value_heads {keys} must divide it"
            )
        if self.hidden_size // heads not in (32, 64, 128):
            raise ValueError(
                f"hidden_size / num_attention_heads is {self.hidden_size // heads}; vLLM takes "
                "heads of 32, 64 or 128"
            )
        return self


class Pretraining(Block):
    """A miniature base model, pretrained inside the DAG from random weights, once for each of the
    study's seeds: training seed k starts from base model k.
    """

    architecture: Literal["qwen2", "llama"]
    """model type in transformers"""
    shape: Shape
    """its size"""
    vocabulary: Annotated[int, Field(ge=300)] = 512
    """tokens of its byte-level BPE tokenizer"""
    data: TrainingData
    """the text it is pretrained on"""
    training: Training
    """optimisation of the pretraining"""
    kept: str | None = None
    """folder of base models that an earlier pretraining made (`<model>/base-seed0` in it, and so
    on), taken as they are; null, or a seed that is not there, pretrains"""


class Model(Block):
    """A base model: pretrained in miniature, or a folder, or one on the hub, or a GGUF file."""

    title: str
    """row heading in the tables"""
    published: str | None = None
    """model of config/published.csv that it is, or stands for"""
    pretrain: Pretraining | None = None
    """pretrain it in the DAG"""
    path: str | None = None
    """a local folder, or a model on the Hugging Face hub"""
    revision: str | None = None
    """commit of the hub's model"""
    gguf: str | None = None
    """a GGUF file, whose weights are dequantised: local, or remote, a URL with its `sha256`"""
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """checksum of `gguf`; another content is refused"""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """dtype of the weights that are made of `gguf`"""
    parameters: Annotated[float, Field(gt=0)] | None = None
    """number of weights, for rectify plan where the model's files are not at hand"""
    train_prompt: Style = "chat"
    """prompt style in training (rectify.models.prompts)"""
    eval_prompt: Style = "chat"
    """prompt style in decoding"""
    training: dict[str, Any] = {}
    """keys of `training` that differ for this model"""

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        given = [key for key in ("pretrain", "path", "gguf") if getattr(self, key) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise ValueError(f"needs exactly one of pretrain, path, gguf; has {found}")
        for key, given in (("sha256", self.sha256), ("dtype", self.dtype != "float32")):
            if given and not self.gguf:
                raise ValueError(f"`{key}` is about `gguf`; leave it out")
        if self.gguf and self.revision:
            raise ValueError("`revision` is about `path`; leave it out")
        if self.gguf and "://" in self.gguf and not self.sha256:
            raise ValueError("a remote GGUF file needs `sha256`")
        for style in (self.train_prompt, self.eval_prompt):
            if style not in STYLES:
                raise ValueError(f"no prompt style '{style}'; there are {', '.join(STYLES)}")
        return self
