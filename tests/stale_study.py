"""A finished study with every feature, made in seconds: the real Snakemake, rules and manifests,
with steps that only say what they would have made (stub_python.py).
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from helpers import ROOT, SHAPE
from rectify.step.environment import step_files


def as_lines(count, **keys):
    """JSON lines of rows."""
    rows = [{key: f"{value} {row}" for key, value in keys.items()} | {"score": 1, "mark": 2}
            for row in range(count)]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_chats(count):
    """JSON lines of conversations."""
    roles = ("user", "assistant")
    rows = [{"turns": [{"role": role, "content": f"{role} {row}"} for role in roles]}
            for row in range(count)]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


CLAIM = """\
- id: higher
  sentence: DFT is above SFT.
  where: Table 1
  tests:
    - {kind: higher, models: [mini], method: dft, than: sft, benchmarks: [mean]}
"""
OWN = """\
def first(logp, power=1.0):
    return logp.exp() ** power


def second(logp, power=1.0):
    return 1 - first(logp, power)


def near(gold, response, row):
    return gold in response


def far(gold, response, row):
    return gold not in response
"""
GIVEN = {
    "rows.jsonl": as_lines(600, problem="2+2?", solution="4", remark="x"),
    "more.jsonl": as_lines(700, problem="2+3?", solution="5", remark="x"),
    "chats.jsonl": as_chats(300),
    "problems.jsonl": as_lines(4, problem="2+4?", answer="6"),
    "questions.jsonl": as_lines(5, problem="2+5?", answer="7"),
    "folder/rows.jsonl": as_lines(4, problem="2+6?", answer="8"),
    "tree/rows.jsonl": as_lines(5, problem="2+7?", answer="9"),
    "model/config.json": "{}",
    "model/model.safetensors": "weights",
    "model.gguf": "GGUF",
    "other.gguf": "GGUF, too",
    "other/config.json": "{}",
    "other/model.safetensors": "other weights",
    "own.py": OWN,
    "claims.yaml": CLAIM,
    "fewer.yaml": CLAIM.replace("above", "over"),
    "nothing.yaml": "{}\n",
}


def sha(name):
    """The checksum of a given file."""
    return hashlib.sha256(GIVEN[name].encode()).hexdigest()


WORLD = {"voice": "expert", "steps": [1, 2]}
STUDY = {
    "study": "stale",
    "seeds": [0, 1],
    "pinned": True,
    "models": {
        "mini": {
            "title": "Mini",
            "published": "llama-3.2-3b",
            "pretrain": {
                "architecture": "qwen2",
                "shape": SHAPE,
                "data": {"world": {"voice": "crowd", "steps": [1, 2], "wrong": 0.1}, "rows": 512},
                "training": {"steps": 4, "batch_size": 8, "max_length": 128},
            },
        },
        "local": {
            "title": "Local", "path": "given/model", "revision": "1" * 40,
            "training": {"weight_decay": 0.1},
        },
        "file": {"title": "File", "gguf": "given/model.gguf", "sha256": sha("model.gguf")},
    },
    "data": {
        "file": "given/rows.jsonl", "rows": 512, "reward": "score", "sha256": sha("rows.jsonl"),
        "mix": {
            "more": {
                "file": "given/more.jsonl", "share": 0.2, "reward": "score",
                "sha256": sha("more.jsonl"),
            },
        },
    },
    "benchmarks": {
        "world": {"title": "World", "world": WORLD, "rows": 8, "published": "math500"},
        "file": {
            "title": "File", "file": "given/problems.jsonl", "sha256": sha("problems.jsonl"),
            "only": {"mark": 2},
        },
        "folder": {
            "title": "Folder", "hub": "given/folder", "revision": "1" * 40,
            "instruction": "In one word.", "grader": "given/own.py:near",
        },
        "held": {"title": "Held", "world": WORLD, "rows": 8, "role": "validation"},
        "kept": {"title": "Kept", "world": WORLD, "rows": 8, "role": "retention"},
    },
    "retention": {
        "rows": {
            "file": "given/chats.jsonl", "rows": 256, "sha256": sha("chats.jsonl"),
            "messages": "turns", "loss_on": "last",
        },
    },
    "methods": {
        "sft": {"title": "SFT", "objective": "sft"},
        "dft": {"title": "DFT", "objective": "dft"},
        "iw-sft": {
            "title": "iw-SFT", "objective": "iw-sft", "parameters": {"temperature": 0.5},
            "models": ["mini"], "seeds": 1, "reference": "sft",
        },
        "own": {
            "title": "Own", "objective": "given/own.py:first", "parameters": {"power": 2.0},
            "seeds": 1,
        },
        "rft": {
            "title": "RFT", "objective": "rft", "setting": "offline", "models": ["mini"], "seeds": 1
        },
        "dpo": {
            "title": "DPO", "dpo": {}, "setting": "offline", "models": ["local"], "seeds": 1,
            "training": {"lora": None},
        },
        "grpo": {
            "title": "GRPO", "grpo": {"max_new_tokens": 64}, "setting": "online",
            "models": ["mini", "local"],
            "training": {"learning_rate": 1e-5, "lora": None},
        },
        "ppo": {
            "title": "PPO", "ppo": {"max_new_tokens": 64, "mini_batches": 2}, "setting": "online",
            "models": ["mini"], "seeds": 1, "from": "sft", "training": {"lora": None},
        },
        "swept": {
            "title": "Swept", "sweep": {"of": "sft", "learning_rates": [1e-4, 3e-4]},
            "models": ["mini"], "seeds": 1,
        },
        "released": {"title": "DFT", "published": "dft", "checkpoint": {"mini": "given/other"}},
    },
    "training": {"lora": {"rank": 4}, "batch_size": 16, "max_length": 128, "learning_rate": 1e-4},
    "self_sampling": {"questions": 64, "correct": 128},
    "decoding": {"dtype": "float32", "samples": 4, "max_new_tokens": 64, "shards": 2},
    "tables": {
        "table1": {"caption": "Table 1.", "methods": ["base", "sft", "dft"]},
        "table3": {
            "caption": "Table 3.",
            "methods": [
                "base", "iw-sft", "own", "rft", "dpo", "grpo", "ppo", "swept", "released",
            ],
        },
    },
    "figures": {
        "figure1": {"model": "mini", "methods": ["sft"], "checkpoints": [2, 4], "seeds": [0]},
        "health": {"model": "mini", "methods": ["sft"], "checkpoints": [2], "seeds": [0]},
        "figure2": {"methods": ["base", "sft", "dft"], "rows": 32, "seeds": [0]},
        "figure3": {
            "model": "local", "methods": ["dft"], "learning_rates": [1e-4, 2e-4],
            "batch_sizes": [32], "seeds": [0],
        },
        "monitors": {"model": "mini", "methods": ["sft", "dft"], "seeds": [0]},
        "ranking": {"model": "mini", "methods": ["sft", "dft"], "seeds": [0]},
        "gallery": {
            "model": "mini", "methods": ["sft", "own"], "seeds": [0], "weigh_rows": ["own", "sft"],
        },
        "retention": {"model": "mini", "methods": ["dft"], "seeds": [0]},
        "rewards": {"model": "mini", "methods": ["grpo"], "seeds": [0]},
        "findings": {"models": ["mini"], "hardest": "file", "seeds": [0]},
    },
    "claims": "given/claims.yaml",
}  # fmt: skip


def write_inputs(folder):
    """The study's file and all that it reads, with others beside them that would do as well."""
    for name, text in GIVEN.items():
        (folder / "given" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "given" / name).write_text(text)


def write_study(folder, study):
    """A study as the file that the calls name."""
    (folder / "stale.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


def environment(folder):
    """An environment whose `python` is the stand-in; returns what Snakemake is started with."""
    real = Path(sys.executable)
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text((real.parents[1] / "pyvenv.cfg").read_text())
    (folder / "lib").symlink_to(real.parents[1] / "lib")
    (folder / "bin" / "python3").symlink_to(real.resolve())
    stub = (ROOT / "tests" / "stub_python.py").read_text()
    (folder / "bin" / "python").write_text(f"#!{folder}/bin/python3\n{stub}")
    (folder / "bin" / "python").chmod(0o755)
    return folder / "bin" / "python3"


class StubStudy:
    """The study in a checkout: calls of Snakemake, dry runs, and the verification."""

    def __init__(self, checkout, folder):
        self.folder, self.python = checkout, environment(folder)
        self.environment = {**os.environ, "PYTHONPATH": str(checkout / "workflow")}
        self.server = None
        write_inputs(checkout)

    def run(self, *arguments, study=STUDY):
        """Run Snakemake to its end; returns the finished process."""
        write_study(self.folder, study)
        words = ("--cores", "2", *arguments, "--configfile", "stale.yaml")
        return self.process("-m", "snakemake", *words)

    def verify(self, *results, study=STUDY):
        """Verify the study; returns the finished process."""
        write_study(self.folder, study)
        return self.process("-m", "rectify", "verify", "stale.yaml", *results)

    def process(self, *words):
        """Run Python in the checkout."""
        return subprocess.run(
            [self.python, *words], cwd=self.folder, capture_output=True, text=True, check=False,
            env=self.environment,
        )  # fmt: skip

    def jobs(self, *arguments, study=STUDY):
        """All jobs of a dry run, by their first output, or their rule if they have none."""
        write_study(self.folder, study)
        if self.server is None:
            self.server = subprocess.Popen(
                [self.python, ROOT / "tests" / "stale_server.py"], cwd=self.folder, text=True,
                env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        line = json.dumps([*arguments, "--configfile", "stale.yaml"])
        print(line, file=self.server.stdin, flush=True)
        found = json.loads(self.server.stdout.readline())
        assert isinstance(found, list), found[-3000:]
        return {(job[1] or [job[0]])[0]: Job(*job) for job in found}

    def planned(self, *arguments, study=STUDY):
        """The names of the jobs that a dry run would run."""
        return {name for name, job in self.jobs(*arguments, study=study).items() if job.planned}

    def close(self):
        """End the server."""
        if self.server:
            self.server.stdin.close()
            self.server.wait()


class Job:
    """A job of a DAG; among its inputs are the modules of its step."""

    def __init__(self, rule, outputs, inputs, command, planned):
        step = re.search(r"-m rectify (?:launch .* -- )?(\w+)(?: (\w+) --settings)?", command or "")
        code = step_files(*step.groups()) if step and step[1] != "verify" else []
        self.rule, self.outputs, self.inputs = rule, set(outputs), {*inputs, *code}
        self.command, self.planned = command, planned
