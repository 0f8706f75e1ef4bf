"""Decoding: seeds, independence of order and sharding, engines that agree, room that runs out."""

import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import DECODING, ROOT, assert_engines_agree, one_line, settings_file, step
from rectify.evaluation.decode import decode
from rectify.evaluation.engines import (
    NO_TOKENIZER,
    cpu_cache_bytes,
    open_vllm,
)
from rectify.evaluation.seeds import check_streams, problem_seed
from rectify.models.encoding import encode_prompts
from rectify.models.folder import load_model
from rectify.models.stops import finish
from rectify.models.tokenizer import load_tokenizer
from rectify.step.errors import StepError
from safetensors.torch import load_file, save_file


@pytest.fixture(scope="module")
def problems(rows):
    """Twelve problems of two benchmarks."""
    frame = pd.DataFrame({"problem": rows["problem"].head(12), "problem_id": [*range(6)] * 2})
    return frame.assign(benchmark=["easy"] * 6 + ["hard"] * 6)


def sampled(folder, problems, **changes):
    """All samples as a table in a fixed order."""
    settings = SimpleNamespace(**{**DECODING, **changes})
    keys = ["benchmark", "problem_id", "sample"]
    return pd.DataFrame(decode(folder, problems, settings)).sort_values(keys, ignore_index=True)


def test_no_two_samples_share_a_seed():
    seeds = {
        problem_seed(0, benchmark, problem, 16) + sample
        for benchmark in ("math500", "minerva_math", "olympiadbench", "aime24", "amc23")
        for problem in range(700)
        for sample in range(16)
    }
    assert len(seeds) == 5 * 700 * 16
    assert max(seeds) < 2**32  # all that a CPU generator keeps of a seed


def test_seeds_depend_on_nothing_but_study_seed_benchmark_and_problem():
    assert problem_seed(0, "aime24", 3, 16) == problem_seed(0, "aime24", 0, 16) + 48
    assert problem_seed(1, "aime24", 3, 16) != problem_seed(0, "aime24", 3, 16)


def test_overlapping_streams_are_refused():
    check_streams(0, {"a": 1000, "b": 1000}, 16)
    with pytest.raises(StepError, match="would share random streams under seed 0"):
        check_streams(0, {"a": 2**31, "b": 2**31}, 16)


def test_the_stop_token_is_taken_off():
    assert finish([5, 6, 1], [1]).tokens == [5, 6]
    assert finish([5, 6, 1], [1]).finish_reason == "stop"
    assert finish([5, 6], [1]).finish_reason == "length"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_samples_do_not_depend_on_order_or_sharding(model_folder, problems, engine):
    whole = sampled(model_folder, problems, engine=engine)
    assert len(whole) == 12 * DECODING["samples"]
    assert whole["text"].nunique() > 24  # the model is random: samples differ
    shuffled = sampled(model_folder, problems.sample(frac=1, random_state=1), engine=engine)
    pd.testing.assert_frame_equal(whole, shuffled)
    shards = [
        sampled(model_folder, problems.iloc[part::3].reset_index(drop=True), engine=engine)
        for part in range(3)
    ]
    keys = ["benchmark", "problem_id", "sample"]
    joined = pd.concat(shards).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(whole, joined)


def test_vllm_on_a_cpu_holds_what_runs_together_and_no_more_than_a_gibibyte(model_folder):
    """2 layers of 1 key head of width 32 in fp32: 512 bytes a token; pages hold 128."""
    assert cpu_cache_bytes(model_folder, 129) == 256 * 256 * 512
    assert cpu_cache_bytes(model_folder, 100_000) == 2**30


@pytest.mark.slow
def test_of_vllms_warnings_the_one_of_the_tokenizer_left_out_alone_is_silent():
    """The words are those in vLLM's source, and the logger is its own.

    In a process of its own: other tests and the environment set vLLM's loggers for theirs.
    """
    script = """
        import inspect
        import logging
        import sys

        import vllm.renderers.base as renderer
        from rectify.evaluation.engines import NO_TOKENIZER, RENDERER, silence_tokenizer

        assert f'logger.warning("{NO_TOKENIZER}", exc_info=True)' in inspect.getsource(renderer)
        assert renderer.logger.name == RENDERER
        logging.getLogger("vllm").handlers = [logging.StreamHandler(sys.stdout)]
        for _ in range(3):  # as it comes, then with engines that are opened one after the other
            renderer.logger.warning(NO_TOKENIZER, exc_info=True)
            renderer.logger.warning("Multi-modal warmup failed")
            logging.getLogger("vllm.entrypoints.llm").warning(NO_TOKENIZER)
            print(len(renderer.logger.filters))
            silence_tokenizer()
    """
    own = {"VLLM_LOGGING_LEVEL": "WARNING", "VLLM_CONFIGURE_LOGGING": "1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **own, "PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.returncode == 0, done.stderr
    others = ["Multi-modal warmup failed", NO_TOKENIZER]
    silent = [*others, "1"]
    assert done.stdout.splitlines() == [
        *(NO_TOKENIZER, "NoneType: None", *others, "0"),
        *silent,
        *silent,
    ]


@pytest.mark.slow
def test_parts_give_the_same_samples(model_folder, problems, tmp_path):
    """One job, and two jobs (`--part`): the same rows."""
    for name, own in problems.assign(answer="1").groupby("benchmark"):
        own.drop(columns="benchmark").to_parquet(tmp_path / f"{name}.parquet")
    files = [tmp_path / "easy.parquet", tmp_path / "hard.parquet"]

    def decoded(out, *more):
        settings = settings_file({**DECODING, "engine": "transformers"})
        arguments = ["--settings", settings, "--benchmarks", *files, "--model", model_folder]
        done = step("decode", *arguments, "--out", tmp_path / out, *more)
        assert done.returncode == 0, done.stderr
        return pd.read_parquet(tmp_path / out)

    whole = decoded("whole.parquet")
    assert len(whole) == 12 * DECODING["samples"]
    parts = [decoded(f"{part}.parquet", "--part", f"{part}/2") for part in (1, 2)]
    keys = ["checkpoint", "benchmark", "problem_id", "sample"]
    assert all(len(part) == len(whole) / 2 for part in parts)
    pd.testing.assert_frame_equal(whole, pd.concat(parts).sort_values(keys, ignore_index=True))


@pytest.mark.slow
def test_engines_agree_on_log_probabilities(model_folder, problems):
    """VLLM's prompt log-probabilities against transformers', token by token, to 1e-4."""
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(model_folder)
    prompts = encode_prompts(tokenizer, "chat", problems["problem"].tolist())
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    llm = open_vllm(model_folder, SimpleNamespace(**DECODING), 128)
    assert_engines_agree(llm, model, prompts)


@pytest.mark.slow
def test_answers_stop_at_the_end_of_the_context(model_folder, problems):
    tokenizer = load_tokenizer(model_folder)
    longest = max(map(len, encode_prompts(tokenizer, "chat", problems["problem"].tolist())))
    samples = sampled(model_folder, problems, max_new_tokens=4096, samples=2)
    assert (samples["n_tokens"] <= 256 - 1).all()  # the model's context
    out_of_room = samples[samples["finish_reason"] == "length"]
    assert (out_of_room["n_tokens"] >= 256 - longest).all()


@pytest.mark.slow
def test_prompt_longer_than_the_model_takes(model_folder, rows, tmp_path):
    rows.head(2).to_parquet(tmp_path / "rows.parquet")
    problems = pd.DataFrame({"problem_id": [0, 1], "problem": ["1+1?", "1+" * 200], "answer": "2"})
    problems.to_parquet(tmp_path / "long.parquet")
    settings = {"train_prompt": "chat", "eval_prompt": "chat", "max_length": 128, "batch_size": 1}
    arguments = ["--settings", settings_file(settings), "--model", model_folder]
    arguments += ["--rows", tmp_path / "rows.parquet", "--benchmarks", tmp_path / "long.parquet"]
    done = step("check_model", *arguments, "--out", tmp_path / "check.json")
    one_line(done, "benchmark 'long' problem 1", "tokens", "takes 256")
    assert not (tmp_path / "check.json").exists()


@pytest.mark.slow
def test_a_model_folder_that_does_not_load(model_copy, rows, tmp_path):
    rows.head(2).to_parquet(tmp_path / "rows.parquet")
    problems = pd.DataFrame({"problem_id": [0], "problem": ["1+1?"], "answer": "2"})
    problems.to_parquet(tmp_path / "one.parquet")
    (model_copy / "model.safetensors").write_bytes(b"not weights")
    settings = {"train_prompt": "chat", "eval_prompt": "chat", "max_length": 128, "batch_size": 1}
    arguments = ["--settings", settings_file(settings), "--model", model_copy]
    arguments += ["--rows", tmp_path / "rows.parquet", "--benchmarks", tmp_path / "one.parquet"]
    done = step("check_model", *arguments, "--out", tmp_path / "check.json")
    one_line(done, str(model_copy), "the model does not load")


def test_a_model_folder_without_some_of_its_weights(model_copy):
    """Transformers would fill them with random numbers and go on."""
    weights = load_file(model_copy / "model.safetensors")
    weights.pop("model.layers.0.mlp.up_proj.weight")
    save_file(weights, model_copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StepError, match=r"1 weights are missing or of another shape, such as .*up"):
        load_model(model_copy, "fp32")


LENGTHS = pd.DataFrame(
    {"problem_id": range(4), "problem": ["1+1?", "1+" * 200, "2?", "3+" * 200], "answer": "2"}
)


def decode_step(model_folder, tmp_path, problems, *more, **changes):
    """The finished step on a file of problems, and where its samples are."""
    problems.to_parquet(tmp_path / "long.parquet")
    settings = {**DECODING, "engine": "transformers", "max_new_tokens": 4, **changes}
    arguments = ["--settings", settings_file(settings), "--model", model_folder]
    arguments += ["--benchmarks", tmp_path / "long.parquet", "--out", tmp_path / "out.parquet"]
    return step("decode", *arguments, *more), tmp_path / "out.parquet"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_prompt_that_is_too_long_is_skipped_counted_and_said(model_folder, tmp_path, engine):
    done, out = decode_step(model_folder, tmp_path, LENGTHS, engine=engine)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    samples = pd.read_parquet(out)
    assert samples["problem_id"].tolist() == [0] * 4 + [2] * 4
    assert "prompts: 4, too long 2, which are skipped; benchmark 'long' problem 1" in done.stdout
    manifest = json.loads((tmp_path / "out.manifest.json").read_text())
    assert manifest["notes"]["prompts"] == {"given": 4, "too_long": 2}
    assert manifest["notes"]["stop_tokens"] == {"<|endoftext|>": 0, "<|im_end|>": 2}
    alone = sampled(model_folder, LENGTHS.iloc[[0, 2]].assign(benchmark="long"), engine=engine,
                    max_new_tokens=4)  # fmt: skip
    assert samples["text"].tolist() == alone["text"].tolist()


@pytest.mark.slow
def test_prompts_that_are_all_too_long_end_the_step_in_one_line(model_folder, tmp_path):
    done, out = decode_step(model_folder, tmp_path, LENGTHS.iloc[[1, 3]])
    one_line(done, "benchmark 'long' problem 1", "takes 256; none of 2 prompts leaves room")
    assert not out.exists()


@pytest.mark.slow
def test_a_part_without_a_prompt_that_fits_has_no_rows(model_folder, tmp_path):
    """Its rows go together with those of the other parts, which have some."""
    tables = []
    for part in ("2/2", "1/2"):  # every second problem is too long
        done, out = decode_step(model_folder, tmp_path, LENGTHS, "--part", part)
        assert done.returncode == 0, done.stderr
        tables.append(pd.read_parquet(out))
    assert [len(table) for table in tables] == [0, 8]
    joined = pd.concat(tables, ignore_index=True)
    assert (joined.dtypes == tables[1].dtypes).all()


def test_no_prompt_that_fits_gives_no_samples(model_folder):
    assert list(decode(model_folder, LENGTHS.iloc[[1, 3]].assign(benchmark="a"),
                       SimpleNamespace(**DECODING))) == []  # fmt: skip
