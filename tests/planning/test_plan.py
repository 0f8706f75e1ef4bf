"""Before spending: sizes against real models, plans against counted jobs, the doctor's findings."""

from collections import Counter

import pandas as pd
import pytest
import yaml
from helpers import ROOT, one_line, step
from rectify.jobs import runs
from rectify.planning import doctor, flops, plan
from rectify.planning.sizes import (
    disk_bytes,
    download_bytes,
    folder_parameters,
    miniature_parameters,
    parameters,
    training_memory,
)
from rectify.reruns.needed import results_of
from rectify.study.load import load_study
from rectify.study.training import LoRA


@pytest.fixture(scope="module")
def paper():
    return load_study(ROOT / "config" / "paper.yaml")


def test_a_miniatures_size_is_that_of_its_model(model_folder):
    """All weights are counted but norms and biases, a few percent of a miniature."""
    from helpers import SHAPE
    from rectify.models.tokenizer import load_tokenizer
    from rectify.study.training import Pretraining

    block = Pretraining(
        architecture="qwen2",
        shape=SHAPE,
        vocabulary=len(load_tokenizer(model_folder)),
        data={"world": {"steps": [1, 2]}, "rows": 8},
        training={},
    )
    assert miniature_parameters(block) == pytest.approx(folder_parameters(model_folder), rel=0.03)


def test_the_papers_models_have_the_sizes_of_their_shapes(paper):
    """Qwen2.5-Math-1.5B from hidden 1536, 28 layers, 12 heads, 2 kv heads, 8960, 151936, tied."""
    attention = 2 * 1536 * 1536 + 2 * 1536 * 256
    weights = 28 * (attention + 3 * 1536 * 8960) + 151936 * 1536
    found = parameters("qwen2.5-math-1.5b", paper.models["qwen2.5-math-1.5b"])
    assert found == pytest.approx(weights, rel=0.01)


def test_the_plan_has_the_papers_jobs(paper):
    """5 models x (SFT, DFT, iw-SFT), Figure 3's 2 methods x 6 points besides the default, and the
    six methods that Table 3 adds on one model.
    """
    counted = {}
    for job in flops.jobs(paper):
        counted[job.rule] = counted.get(job.rule, 0) + 1
    trained = 5 * 3 + 2 * 6 + 6
    assert counted == {
        "train_model": trained - 1,
        "train_ppo": 1,
        "decode_benchmarks": trained + 5,
        "decode_questions": 1,
        "decode_checkpoints": 2,
        "measure_probabilities": 6,
        "precheck": 5,
    }
    assert len(runs.all_runs(paper)) == trained


def made(study):
    """How many jobs of each rule with a GPU's worth of work the DAG has."""
    found = []
    for result in results_of(study):
        *folders, name = result.outputs[0].split("/")
        if result.step == "decode":
            rule = "questions" if folders[2] == "self" else "benchmarks"
            found.append(f"decode_{'checkpoints' if '-checkpoints' in name else rule}")
        elif result.step in ("measure_probabilities", "weigh_rows", "precheck"):
            found.append(result.step)
        elif result.step in ("train", "dpo", "grpo", "ppo"):
            trains = "train_ppo" if result.step == "ppo" else "train_model"
            found.append("pretrain_model" if name.startswith("base") else trains)
    return Counter(found)


@pytest.mark.parametrize("figures", [None, ["monitors"], ["figure2", "gallery"], ["figure1"]])
@pytest.mark.parametrize("tables", [None, []])
def test_the_jobs_are_those_of_the_dag(figures, tables):
    """Of a run that only a figure of weights or probabilities shows, say, none decodes answers."""
    study = yaml.safe_load((ROOT / "config" / "mini.yaml").read_text())
    study |= {"claims": None, "decoding": {**study["decoding"], "shards": 2}}
    study["figures"]["gallery"] = {**study["figures"]["gallery"], "weigh_rows": ["sft", "dft"]}
    if figures is not None:
        study["figures"] = {name: study["figures"][name] for name in figures}
    if tables is not None:
        study["tables"] = {}
    study = load_study(study)
    assert Counter(job.rule for job in flops.jobs(study)) == made(study)


def test_the_training_rows_are_weighed_once_under_the_model_and_its_reference(mini):
    mini["figures"]["gallery"] = {**mini["figures"]["gallery"], "weigh_rows": ["dft"]}
    study = load_study(mini)
    (job,) = (job for job in flops.jobs(study) if job.rule == "weigh_rows")
    assert job.name == "qwen2-mini dft-seed0"
    size = parameters("qwen2-mini", study.models["qwen2-mini"])
    assert job.work == pytest.approx(2 * 2 * size * 3840 * flops.row_tokens(study))


def test_a_jobs_work_by_hand(paper):
    """iw-SFT with recomputed activations: (6 + 2 + 2) operations per weight and token."""
    found = {job.name: job for job in flops.jobs(paper) if job.rule == "train_model"}
    job = found["qwen2.5-math-1.5b iw-sft-seed0"]
    assert job.work == pytest.approx(10 * 1.54e9 * 100_000 * flops.ROW_TOKENS)
    dpo = found["qwen2.5-math-1.5b dpo-seed0"]  # two answers, each (6 + 2 + 2 for the reference)
    assert dpo.work == pytest.approx(20 * 1.54e9 * 100_000 * flops.ROW_TOKENS)
    base = next(j for j in flops.jobs(paper) if j.name == "qwen2.5-math-1.5b base")
    assert base.work == pytest.approx(2 * 1.54e9 * 1517 * 16 * flops.ANSWER_TOKENS)


def test_sharding_divides_the_training_state(paper):
    training = paper.training
    one, eight = (training_memory(7_000_000_000, training, gpus) for gpus in (1, 8))
    assert one - eight == pytest.approx(7e9 * 16 * 7 / 8)


def test_lora_holds_frozen_weights_without_gradients_and_computes_none_of_theirs(paper):
    """In fp32 4 bytes a weight instead of 16; 6 operations instead of 8, 2 of them recomputing."""
    full, lora = paper.training, paper.training.model_copy(update={"lora": LoRA()})
    memory = [training_memory(7_000_000_000, training, 1) for training in (full, lora)]
    assert memory[0] - memory[1] == pytest.approx(7e9 * (16 - 4))
    operations = [flops.operations(paper, paper.methods["dft"], t) for t in (full, lora)]
    assert operations[1] / operations[0] == pytest.approx(6 / 8)


def test_measured_rates_predict_other_jobs(tmp_path):
    """From benchmark files in which every job takes work / 10^9 seconds."""
    study = load_study(ROOT / "config" / "mini.yaml")
    for job in flops.jobs(study):
        file = tmp_path / job.rule / "mini" / f"{job.name.replace(' ', '/')}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\tmax_rss\n{job.work / 1e9}\t1\n")
    rates = plan.rates_of(tmp_path, study)
    assert all(rate == pytest.approx(1e9) for rate in rates.values())
    table = plan.table(study, "h100", rates).set_index("rule")
    total = sum(job.work for job in flops.jobs(study) if job.rule == "train_model")
    assert table.loc["train_model", "GPU-hours"] == pytest.approx(total / 1e9 / 3600)


def test_rates_of_one_miniature_predict_the_others_hours(tmp_path):
    """On the job times of results/reference/mini, rule by rule, within a factor of 1.5."""
    study = load_study(ROOT / "config" / "mini.yaml")
    times = pd.read_csv(ROOT / "results" / "reference" / "mini" / "benchmarks.csv")
    seconds = times.dropna(subset=["job"]).set_index(["rule", "job"])["s"]
    for (rule, job), value in seconds.items():
        if job.startswith("qwen2-mini"):
            file = tmp_path / rule / "mini" / f"{job}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"s\n{value}\n")
    rates = plan.rates_of(tmp_path, study)
    for rule in ("train_model", "decode_benchmarks"):
        named = {job.name.replace(" ", "/"): job for job in flops.jobs(study) if job.rule == rule}
        jobs = {name: job for name, job in named.items()
                if name.startswith("llama") and (rule, name) in seconds}  # fmt: skip
        predicted = sum(plan.seconds_of(job, "h100", rates) for job in jobs.values())
        measured = sum(seconds[rule, name] for name in jobs)
        assert len(jobs) >= 9
        assert 1 / 1.5 < predicted / measured < 1.5, (rule, predicted, measured)


@pytest.mark.slow
def test_commands():
    done = step("plan", "config/paper.yaml", "--gpus", 8, "--gpu", "a100")
    assert done.returncode == 0, done.stderr
    assert "in all: 85 jobs on GPUs" in done.stdout
    assert "assumed: a100" in done.stdout
    one_line(step("plan", "config/gone.yaml"), "config/gone.yaml", "name a study file")


def test_the_doctor_asks_slurm_for_each_rules_job_as_the_profile_does():
    profile = doctor.read_profile(ROOT / "profiles" / "slurm" / "profile.yaml")
    assert doctor.asked(profile, "train_model") == [
        "--gpus=8", "--mem=400000", "--time=720", "--cpus-per-task=16",
    ]  # fmt: skip
    assert doctor.asked(profile, None) == ["--mem=8000", "--time=60", "--cpus-per-task=1"]
    one_line(step("doctor", "config/mini.yaml", "--profile", "gone.yaml"), "gone.yaml")


@pytest.mark.slow
def test_a_training_that_does_not_fit_the_clusters_gpus_is_found(tmp_path):
    """LLaMA-3.1-8B: 16 bytes for each of 8.03e9 weights, on 1 GPU or shared by 8, and 12 GB."""
    profile = tmp_path / "profile.yaml"
    for gpus, need, verdict in ((1, 140, "FAIL"), (8, 28, "ok  ")):
        profile.write_text(
            "default-resources: {mem_mb: 1000}\n"
            f"set-resources: {{train_model: {{gpu: {gpus}}}}}\n"
        )
        arguments = ("--profile", profile, "--gpu-memory", 80)
        found = step("doctor", "config/paper.yaml", *arguments).stdout
        assert f"{verdict}  training llama-3.1-8b: {need} GB on each of {gpus} GPUs" in found


@pytest.mark.slow
@pytest.mark.parametrize(("memory", "verdict"), [(24, "ok  "), (16, "FAIL")])
def test_plan_and_doctor_agree_on_what_fits_a_card_that_is_not_here(monkeypatch, memory, verdict):
    """Qwen2.5-0.5B: 16 bytes for each of 4.94e8 weights, and 12 GB."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    study = "config/one-small-gpu.yaml"
    found = step("doctor", study, "--gpus", 0, "--gpu-memory", memory).stdout
    said = f"20 GB on each of 1 GPUs, a GPU has {memory} GB"
    assert f"{verdict}  training qwen2.5-0.5b: {said}" in found
    assert (
        "memory: 20 GB for a training of qwen2.5-0.5b alone on a GPU" in step("plan", study).stdout
    )


@pytest.mark.slow
def test_the_doctor_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    well = step("doctor", "config/mini.yaml", "--gpus", 0)
    assert well.returncode == 0, well.stdout
    ill = step("doctor", "config/paper.yaml", "--gpus", 64)
    assert ill.returncode == 1
    assert "FAIL  source llama-3.2-3b: meta-llama/Llama-3.2-3B: offline and not in" in ill.stdout
    assert "FAIL  GPUs: " in ill.stdout


def test_the_doctor_names_cuda_builds_beside_a_torch_for_cpus(tmp_path, monkeypatch):
    """As where pip finds a CPU build of torch by its plain name; the metadata says nothing."""
    for package, version in (("torch", "2.13.0+cpu"), ("torchvision", "0.28.0+cu130"),
                             ("torchaudio", "2.11.0+cu130")):  # fmt: skip
        (tmp_path / package).mkdir()
        (tmp_path / package / "version.py").write_text(f"__version__ = '{version}'\n")
        info = tmp_path / f"{package}-{version.partition('+')[0]}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {package}\nVersion: {version.partition('+')[0]}\n")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = doctor.torch_builds()
    assert not found.good
    assert found.seen.startswith("torchvision and torchaudio built for CUDA beside a torch for CPU")
    (tmp_path / "torch" / "version.py").write_text("__version__ = '2.13.0+cu130'\n")
    assert not list(doctor.torch_builds())


def test_the_doctor_has_nothing_to_say_of_the_builds_that_are_installed():
    assert not list(doctor.torch_builds())


def test_the_small_gpu_study_fits_a_card_of_24_gb_in_two_hours(at_root):
    """As its comment says, by the plan for an RTX 4090 and by the doctor's memory."""
    study = load_study("config/one-small-gpu.yaml")
    hours = plan.table(study, "rtx4090", {})["GPU-hours"].sum()
    assert 1.5 < hours < 2.5
    assert all(found.good for found in doctor.training_fits(study, 1, 24e9, "card"))
    assert study.data.rows == 20000
    assert list(study.benchmarks) == ["math500", "minerva_math", "olympiadbench", "aime24", "amc23"]
    trained = {run.method for run in runs.all_runs(study).values()}
    assert trained == {"sft", "dft", "iw-sft"}


def test_a_ready_checkpoint_costs_its_decoding_and_its_download(mini, at_root):
    without = load_study(mini)
    ready = {"qwen2-mini": f"ORG/NAME@{'1' * 40}"}
    mini["methods"]["released"] = {"title": "DFT", "published": "dft", "checkpoint": ready}
    mini["tables"]["table1"]["methods"].append("released")
    study = load_study(mini)
    more = [job for job in flops.jobs(study) if "released" in job.name]
    assert [(job.rule, job.name) for job in more] == [
        ("decode_benchmarks", "qwen2-mini released-ready")
    ]
    assert len(flops.jobs(study)) == len(flops.jobs(without)) + 1
    weights = parameters("qwen2-mini", study.models["qwen2-mini"])
    assert download_bytes(study) - download_bytes(without) == 2 * weights
    assert disk_bytes(study) == disk_bytes(without)
    (found,) = doctor.sources(study)
    assert (found.what, found.good) == ("source released qwen2-mini", False)
    assert found.seen == "ORG/NAME: offline and not in the cache"


def test_a_place_that_is_no_id_of_the_hubs_is_a_finding(mini, at_root):
    mini["methods"]["released"] = {"title": "DFT", "checkpoint": {"qwen2-mini": "/no/such/folder"}}
    mini["tables"]["table1"]["methods"].append("released")
    (found,) = doctor.sources(load_study(mini))
    assert not found.good
    assert found.seen.startswith("/no/such/folder: Repo id must be")


def test_a_model_made_of_a_gguf_file_takes_its_disk(at_root):
    study = load_study("config/smollm.yaml")
    trained = len(runs.trained_runs(study))
    assert disk_bytes(study) == 4 * 1.35e8 * (trained + 1)
    assert download_bytes(study) == 0
