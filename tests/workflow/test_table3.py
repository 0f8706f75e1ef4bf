"""Table 3's part of the DAG: the model's own answers, and five more ways to learn from them."""

import json
import random
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from helpers import ROOT, snakemake
from small_study import inside, restate

pytestmark = pytest.mark.slow
METHODS = {
    "unsure": {"title": "Own", "objective": "config/objectives/example.py:unsure", "seeds": 1},
    "rft": {"title": "RFT", "objective": "rft", "setting": "offline", "seeds": 1},
    "weighed": {
        "title": "Weighed", "objective": "reward-power", "setting": "offline", "seeds": 1,
    },
    "dpo": {"title": "DPO", "dpo": {}, "setting": "offline"},
    "dft-offline": {
        "title": "DFT", "published": "dft", "objective": "dft", "setting": "offline",
    },
    "grpo": {"title": "GRPO", "grpo": {"max_new_tokens": 16}, "setting": "online", "seeds": 1},
    "ppo": {"title": "PPO", "ppo": {"max_new_tokens": 16}, "setting": "online", "seeds": 1},
}  # fmt: skip
OWN = "results/third/self/tiny/base"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, model_folder):
    """A copy of the project with a study of one tiny model and Table 3."""
    folder = tmp_path_factory.mktemp("table3")
    for name in ("Snakefile", "workflow", "config", "profiles", "envs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / name)
    study = {
        "study": "third",
        "seeds": [0, 1],
        "models": {"tiny": {"title": "Tiny", "path": str(model_folder)}},
        "data": {"world": {"steps": [1, 2]}, "rows": 24},
        "benchmarks": {"a": {"title": "A", "world": {"steps": [1, 1]}, "rows": 4}},
        "methods": METHODS,
        "training": {"batch_size": 4, "max_length": 128, "steps": 2},
        # vLLM takes longer to start than these few answers; test_workflow.py has it
        "decoding": {
            "engine": "transformers",
            "dtype": "float32",
            "samples": 2,
            "max_new_tokens": 16,
        },
        "self_sampling": {"questions": 12, "correct": 16},
        "tables": {"table3": {"caption": "Table 3.", "methods": ["base", *METHODS]}},
    }
    (folder / "config" / "third.yaml").write_text(yaml.safe_dump(study))
    return folder


def make(checkout, target):
    done = snakemake(target, "--configfile", "config/third.yaml", cwd=checkout)
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="module")
def finished(checkout):
    """The study's table; a random model answers nothing right, so half its answers are given it."""
    make(checkout, f"{OWN}/samples.parquet")
    samples = pd.read_parquet(checkout / OWN / "samples.parquet")
    questions = pd.read_parquet(checkout / "results/third/data/questions.parquet")
    gold = questions.set_index("problem_id")["answer"]
    rng = random.Random(0)
    samples["right"] = [rng.random() < 0.5 for _ in range(len(samples))]
    samples["text"] = [
        f"It is \\boxed{{{gold[row.problem_id]}}}." if row.right else "It is \\boxed{-12345}."
        for row in samples.itertuples()
    ]
    samples["finish_reason"] = "stop"
    samples.drop(columns="right").to_parquet(checkout / OWN / "samples.parquet", index=False)
    with inside(checkout):
        restate(Path(OWN) / "samples.parquet")
    make(checkout, "tables")
    return checkout, samples


def test_what_is_learned_from_is_what_the_grader_found_right(finished):
    checkout, samples = finished
    correct = pd.read_parquet(checkout / OWN / "correct.parquet")
    pairs = pd.read_parquet(checkout / OWN / "pairs.parquet")
    counts = json.loads((checkout / OWN / "counts.json").read_text())
    per_question = samples.groupby("problem_id")["right"].agg(["sum", "size"])
    assert counts == {
        "questions": 12,
        "skipped": 0,
        "samples": 48,
        "unfinished": 0,
        "correct": int(samples["right"].sum()),
        "kept": 16,
        "pairs": int(per_question["sum"].clip(upper=4 - per_question["sum"]).sum()),
        "kept_pairs": len(pairs),
    }
    every = pd.read_parquet(checkout / OWN / "answers.parquet")
    assert (
        every["reward"].tolist() == samples.sort_values(["problem_id", "sample"])["right"].tolist()
    )
    assert (every["solution"].str.contains("-12345") == (every["reward"] == 0)).all()
    assert not correct["solution"].str.contains("-12345").any()
    assert not pairs["chosen"].str.contains("-12345").any()
    assert pairs["rejected"].str.contains("-12345").all()


def test_the_table_has_a_row_for_every_method_and_its_seeds(finished):
    checkout, _ = finished
    cells = pd.read_csv(checkout / "results/third/tables/table3.csv")
    means = cells[cells["benchmark"] == "mean"]
    found = list(means[["method", "setting", "n_seeds"]].itertuples(index=False, name=None))
    assert found == [
        ("base", "-", 1),
        ("unsure", "sft", 1),
        ("rft", "offline", 1),
        ("weighed", "offline", 1),
        ("dpo", "offline", 2),
        ("dft", "offline", 2),
        ("grpo", "online", 1),
        ("ppo", "online", 1),
    ]


def test_the_note_says_how_each_rl_methods_training_went(finished):
    """A random model trained so little answers nothing right, so that none is above it."""
    checkout, _ = finished
    text = (checkout / "results/third/tables/table3.md").read_text()
    lines = {line.split(",")[0]: line for line in text.splitlines() if line.startswith("- tiny ")}
    offline, online = ("rft", "weighed", "dpo", "dft"), ("grpo", "ppo")
    assert list(lines) == [
        *(f"- tiny {name} offline" for name in offline),
        *(f"- tiny {name} online" for name in online),
    ]
    assert "trained on 16 correct answers to " in lines["- tiny rft offline"]
    assert ": their NLL per token went from " in lines["- tiny dft offline"]
    for name in online:
        assert lines[f"- tiny {name} online"].endswith(
            "trained on 12 questions: the mean reward of the answers it drew went from 0.000 to "
            "0.000 over 2 steps; training did not raise it."
        )


def test_every_method_moves_the_weights_its_own_way(finished):
    """But for GRPO: where no answer of a group is right, none is better than the others."""
    checkout, _ = finished
    names = ("base", *(f"{name}-seed0" for name in METHODS if name != "grpo"))
    files = [checkout / f"results/third/models/tiny/{name}/model.safetensors" for name in names]
    assert len({file.read_bytes() for file in files}) == len(files)


def test_an_objective_of_ones_own_is_trained_again_when_its_file_changes(finished):
    checkout, _ = finished
    file = checkout / "config" / "objectives" / "example.py"
    file.write_text(file.read_text().replace("power=1.0", "power=2.0"))
    done = snakemake("-n", "tables", "--configfile", "config/third.yaml", cwd=checkout)
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout.split("total")[0], re.MULTILINE))
    assert jobs["train_model"] == "1"
    assert jobs["decode_benchmarks"] == "1"
    assert "models/tiny/unsure-seed0" in done.stdout
