"""Decoding on a CPU: vLLM against transformers' generate at equal batch, and what a run costs.

    python -m bench.decode

Random Qwen2 models of about 1M and 10M parameters, fp32, 16 samples of each prompt at temperature
1. Both engines have all sequences in one batch. Random models hardly ever stop, so lengths are set:
`own`, each answer is as long as its problem's worked solution (one engine drops what has ended, the
other goes on to the longest); `equal`, all are equally long. Rates count the answers' tokens. vLLM
runs as rectify decode runs it. `start-up` is rectify decode on one problem and one token, a process
of its own; `curve` is the same of 12 checkpoints in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.common import best_and_median, interleaved, parser, publish, run

SHAPES = {
    "1M": {
        "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 384, "max_position_embeddings": 1024,
    },
    "10M": {
        "hidden_size": 320, "num_hidden_layers": 8, "num_attention_heads": 5,
        "num_key_value_heads": 5, "intermediate_size": 960, "max_position_embeddings": 1024,
    },
}  # fmt: skip
SAMPLES, CHECKPOINTS = 16, 12
SETTINGS = {
    "seed": 0, "prompt": "chat", "engine": "vllm", "problems": None, "samples": SAMPLES,
    "temperature": 1.0, "top_p": 1.0, "max_new_tokens": 128, "dtype": "float32",
    "tensor_parallel": 1,
}  # fmt: skip


def make_model(shape: dict[str, int], folder: Path) -> int:
    """Write a random model and its tokenizer; returns its parameters."""
    import torch
    from rectify.data.world import make_rows
    from rectify.models.initialise_model import build_model, build_tokenizer

    torch.manual_seed(0)
    rows = make_rows("bench", 200, "expert", (1, 4))
    tokenizer = build_tokenizer([row["problem"] + "\n" + row["solution"] for row in rows], 512)
    model = build_model("qwen2", shape, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.num_parameters()


def contenders(
    llm: Any, folder: Path, prompts: list[list[int]], lengths: list[int]
) -> dict[str, Any]:
    """Both engines: functions that answer prompt i by lengths[i] tokens, and return seconds."""
    import torch
    from transformers import AutoModelForCausalLM
    from vllm import SamplingParams

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])

    def vllm() -> float:
        requests = [{"prompt_token_ids": prompt} for prompt in prompts]
        parameters = [
            SamplingParams(
                n=SAMPLES, temperature=1.0, max_tokens=length, ignore_eos=True, detokenize=False,
                seed=index * SAMPLES,
            )
            for index, length in enumerate(lengths)
        ]  # fmt: skip
        started = time.perf_counter()
        llm.generate(requests, parameters, use_tqdm=False)
        return time.perf_counter() - started

    def transformers() -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            model.generate(
                ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0,
                num_return_sequences=SAMPLES, min_new_tokens=max(lengths),
                max_new_tokens=max(lengths), pad_token_id=0,
            )  # fmt: skip
        return time.perf_counter() - started

    return {"vLLM": vllm, "transformers": transformers}


def of_model(name: str, folder: Path, quick: bool) -> list[dict[str, Any]]:
    """The rows of one model size."""
    from rectify.data.world import make_rows
    from rectify.evaluation.engines import open_vllm
    from rectify.models.encoding import encode_prompts
    from rectify.models.tokenizer import load_tokenizer

    size = make_model(SHAPES[name], folder)
    tokenizer = load_tokenizer(folder)
    worked = list(make_rows("bench", 2 if quick else 16, "expert", (1, 4)))
    prompts = encode_prompts(tokenizer, "chat", [row["problem"] for row in worked])
    own = [len(tokenizer.encode(row["solution"])) for row in worked]
    kinds = {"own": own, "equal": [16 if quick else 64] * len(worked)}
    longest = max(map(len, prompts)) + max(map(max, kinds.values()))
    llm = open_vllm(folder, SimpleNamespace(**SETTINGS), longest)
    rows = []
    for kind, lengths in kinds.items():
        both = contenders(llm, folder, prompts, lengths)
        for measure in both.values():
            measure()  # warm up
        drawn = SAMPLES * sum(lengths)
        rows += [
            {
                "model": f"{size / 1e6:.1f}M", "lengths": kind, "engine": engine, "tokens": drawn,
                **best_and_median(seconds), "tokens_per_s": drawn / min(seconds),
            }
            for engine, seconds in interleaved(both, 1 if quick else 5).items()
        ]  # fmt: skip
    return rows


def of_processes(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Seconds of rectify decode with almost nothing to decode, with one thread, as its rule has."""
    from rectify.data.world import make_rows
    from rectify.step.tables import write_parquet

    row = next(iter(make_rows("bench", 1, "expert", (1, 1))))
    problem = {"problem_id": 0, "problem": row["problem"], "answer": "1"}
    write_parquet(folder / "one.parquet", [problem])
    settings = folder / "settings.json"
    settings.write_text(json.dumps({**SETTINGS, "samples": 1, "max_new_tokens": 1}))
    model = folder / "model"
    for step in range(1, 1 + (2 if quick else CHECKPOINTS)):
        shutil.copytree(model, folder / "curve" / f"checkpoint-{step}")
    command = ["-m", "rectify", "decode", "--settings", settings]
    command += ["--benchmarks", folder / "one.parquet", "--out", folder / "samples.parquet"]
    os.environ["OMP_NUM_THREADS"] = "1"
    processes = {
        "start-up of a run": ["--model", model],
        f"curve of {2 if quick else CHECKPOINTS}": ["--model", folder / "curve", "--checkpoints"],
    }
    measures = {
        what: lambda words=words: run(*command, *words)["seconds"]
        for what, words in processes.items()
    }
    found = interleaved(measures, 1 if quick else 3)
    return [{"process": what, **best_and_median(seconds)} for what, seconds in found.items()]


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    with tempfile.TemporaryDirectory() as name:
        rows = []
        for size in list(SHAPES)[: 1 if arguments.quick else None]:
            rows += of_model(size, Path(name) / size, arguments.quick)
        (Path(name) / "1M").rename(Path(name) / "model")
        rows += of_processes(Path(name), arguments.quick)
    decoded = [row for row in rows if "engine" in row]
    ratios = {
        f"{ours['model']}, {ours['lengths']}": round(
            ours["tokens_per_s"] / theirs["tokens_per_s"], 2
        )
        for ours, theirs in zip(decoded[::2], decoded[1::2], strict=True)
    }
    publish("decode", arguments, rows, vllm_over_transformers=ratios)


if __name__ == "__main__":
    main(parser("decode", __doc__).parse_args())
