"""Decoding engines behind one small interface: vLLM, and transformers where vLLM has no build.

    generate(folder, prompts, seeds, settings, stop_ids) -> one list of n Completions per prompt

Prompts are token ids and so are completions; the engines never see a tokenizer. Prompt i's sample
j is drawn from the random stream `seeds[i] + j`, whatever else is in the batch.
`settings` has the keys of a study's `decoding` block.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from rectify.models.config import context_of, text_alone, text_config, vllm_named
from rectify.models.stops import Completion, cut_after_stop, finish
from rectify.step.garbage import uncollected

if TYPE_CHECKING:
    from vllm import LLM

CPU_CACHE_BYTES = 2**30  # at most, for vLLM's keys and values on a CPU
CPU_SEQUENCES, CPU_BLOCK = 256, 128  # what it runs together there, and the tokens in its pages
OPEN: list[LLM] = []  # this process's vLLM engine, if it has one
# vLLM's logger and its words, with a traceback, at every start without a tokenizer; no option stops
# the warm-up that they are about
RENDERER, NO_TOKENIZER = "vllm.renderers.base", "Chat template warmup failed"


def cpu_cache_bytes(folder: str | Path, length: int) -> int:
    """Bytes of fp32 keys and values of all sequences that run together, up to CPU_CACHE_BYTES.

    vLLM would take a share of all memory, and writes zeros over what it takes: seconds per GiB.
    """
    config = text_config(folder)
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    keys = getattr(config, "num_key_value_heads", None) or heads
    of_token = 2 * 4 * config.num_hidden_layers * keys * width
    tokens = -(-length // CPU_BLOCK) * CPU_BLOCK
    return min(CPU_SEQUENCES * tokens * of_token, CPU_CACHE_BYTES)


def silence_tokenizer() -> None:
    """Keep vLLM from warning, with a traceback, that it has no tokenizer, and from that alone."""
    logging.getLogger(RENDERER).addFilter(is_other)  # once, however often it is added


def is_other(record: logging.LogRecord) -> bool:
    """Whether a log record is not about the tokenizer that is left out on purpose."""
    return record.getMessage() != NO_TOKENIZER


def open_vllm(folder: str | Path, settings: SimpleNamespace, length: int) -> LLM:
    """A vLLM engine on a local model folder, with room for `length` tokens per sequence.

    Closes the one that was open. The last is left to the process's end: closing takes seconds.
    Raises StepError if vLLM does not take the model.
    """
    close_vllm()
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    silence_tokenizer()
    options: dict[str, Any] = {}
    if not torch.cuda.is_available():
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        # a seeded request whose prefill is split stops with "CPU Generator does not use offset"
        options = {
            "kv_cache_memory_bytes": cpu_cache_bytes(folder, length),
            "enforce_eager": True,
            "enable_chunked_prefill": False,
        }
    with uncollected():
        from vllm import LLM

    with uncollected(), vllm_named(folder):
        llm = LLM(
            str(folder),
            skip_tokenizer_init=True,  # it would load tokenizers in a way that corrupts some
            dtype=settings.dtype,
            max_model_len=length,
            generation_config="vllm",  # not the model's own temperature and stop tokens
            seed=0,
            tensor_parallel_size=settings.tensor_parallel,
            disable_log_stats=True,
            **options,
            **text_alone(folder),
        )
    if os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") == "0":
        # else an engine in this process, as it ends, thaws all imports and collects over them: 2 s
        llm.llm_engine.engine_core._finalizer.atexit = False
    OPEN.append(llm)
    return llm


def close_vllm() -> None:
    """Free the memory of the engine that is open, if one is, for another in this process."""
    while OPEN:
        OPEN.pop().llm_engine.engine_core.shutdown()  # collects, and empties the GPU's cache


def generate_vllm(
    folder: Path,
    prompts: list[list[int]],
    seeds: list[int],
    settings: SimpleNamespace,
    stop_ids: list[int],
) -> list[list[Completion]]:
    """See the module's docstring; vLLM seeds sample j of a request with seed + j."""
    longest = max(map(len, prompts)) + settings.max_new_tokens
    llm = open_vllm(folder, settings, min(longest, context_of(folder)))
    from vllm import SamplingParams

    parameters = [
        SamplingParams(
            n=settings.samples,
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_new_tokens,
            seed=seed,
            stop_token_ids=stop_ids,
            detokenize=False,
        )
        for seed in seeds
    ]
    requests = [{"prompt_token_ids": prompt} for prompt in prompts]
    outputs = llm.generate(requests, parameters, use_tqdm=True)
    return [
        [finish(list(sample.token_ids), stop_ids) for sample in output.outputs]
        for output in outputs
    ]


@torch.inference_mode()
def generate_transformers(
    folder: Path,
    prompts: list[list[int]],
    seeds: list[int],
    settings: SimpleNamespace,
    stop_ids: list[int],
) -> list[list[Completion]]:
    """See the module's docstring. One prompt's samples are one batch, so that no other matters."""
    from transformers.generation.logits_process import TopPLogitsWarper

    from rectify.models.folder import auto_class  # vLLM's engine needs none of it

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = auto_class(folder).from_pretrained(str(folder), dtype=getattr(torch, settings.dtype))
    model.to(device).eval()
    limit = context_of(folder)
    nucleus = TopPLogitsWarper(settings.top_p)
    stops = torch.tensor(stop_ids, device=device)
    completions = []
    for prompt, seed in zip(tqdm(prompts, unit="prompt"), seeds, strict=True):
        streams = [torch.Generator(device).manual_seed(seed + j) for j in range(settings.samples)]
        ids = torch.tensor([prompt] * settings.samples, device=device)
        drawn, cache = [], None
        done = torch.zeros(settings.samples, dtype=torch.bool, device=device)
        for _ in range(min(settings.max_new_tokens, limit - len(prompt))):
            output = model(ids, past_key_values=cache, use_cache=True)
            cache, logits = output.past_key_values, output.logits[:, -1].float()
            probabilities = nucleus(None, logits / settings.temperature).softmax(-1)
            pairs = zip(probabilities, streams, strict=True)
            ids = torch.stack([torch.multinomial(p, 1, generator=g) for p, g in pairs])
            drawn.append(ids)
            done |= torch.isin(ids[:, 0], stops)
            if done.all():
                break
        rows = torch.cat(drawn, dim=1).tolist()
        completions.append([finish(cut_after_stop(row, stop_ids), stop_ids) for row in rows])
    return completions


ENGINES: dict[str, Callable[..., list[list[Completion]]]] = {
    "vllm": generate_vllm,
    "transformers": generate_transformers,
}
