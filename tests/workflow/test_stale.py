"""One call leaves nothing stale: whatever is changed in a finished study, a dry run plans the jobs
that it decides, all behind them, and nothing else; and a verification says so afterwards.
"""

import copy
import json
import shutil

import pytest
from rectify import STEPS
from small_study import inside
from stale_keys import other_values, with_key
from stale_plan import ALWAYS, RESULTS, assert_planned
from stale_study import STUDY

pytestmark = pytest.mark.slow
# keys whose value decides no result of this study
DECIDE_NOTHING = {
    "extends",  # names a file that adds nothing
    "pinned",
    "models.*.parameters",  # for rectify plan
    "figures.gallery.rows",  # set to what it is anyway, Figure 2's
    "figures.findings.rows",  # so too
    "models.*.pretrain.kept",  # a folder without this model's: see test_kept_bases
}


@pytest.fixture(scope="module")
def others(finished):
    """For every key of the description, the study with another value; the keys without one."""
    with inside(finished.folder):
        return other_values(STUDY)


def test_a_finished_study_has_nothing_to_do_but_its_verification(finished):
    assert finished.planned() == ALWAYS
    assert finished.verify().returncode == 0


def given(finished):
    """The files that hand jobs their settings: their times by their names."""
    folder = finished.folder / RESULTS / "settings"
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("*")}


def test_equal_settings_are_the_same_file(finished):
    """A dry run writes none; a call writes those that are not there, and leaves the others."""
    files = given(finished)
    assert {name.split("-")[0] for name in files} > {"train_model", "render_report", "study"}
    other = with_key(copy.deepcopy(STUDY), ["training", "learning_rate"], 3e-4)
    assert "results/stale/models/mini/dft-seed0" in finished.planned(study=other)
    assert finished.run().returncode == 0
    assert given(finished) == files


def test_settings_that_are_cleared_away_rerun_nothing(finished):
    """So do results that are copied without them."""
    names = set(given(finished))
    shutil.rmtree(finished.folder / RESULTS / "settings")
    assert finished.planned() == ALWAYS
    assert not given(finished)
    done = finished.run()
    assert "1 of 1 steps" in done.stderr
    assert set(given(finished)) == names


def test_every_key_has_another_value_to_try(others):
    assert others[1] == set()
    assert len(others[0]) > 150


def test_every_key_reruns_what_it_decides(finished, before, others):
    wrong, nothing = {}, set()
    for key, study in others[0].items():
        try:
            if assert_planned(finished, before, study) == ALWAYS:
                nothing.add(key)
        except AssertionError as error:
            wrong[key] = str(error)
    assert not wrong, "\n".join(f"{key}: {said}" for key, said in wrong.items())
    assert nothing == DECIDE_NOTHING


def test_every_source_file_reruns_the_steps_that_import_it(finished, before):
    """Of the files that the same jobs depend on, which are alike to Snakemake, one is edited."""
    users = {}
    for job in before.values():
        for file in job.inputs:
            if file.startswith("workflow/"):
                users.setdefault(file, set()).add(job.rule)
    assert len(users) > 60
    alike = {}
    for file in sorted(users):
        alike.setdefault(frozenset(users[file]), []).append(file)
    for files in alike.values():
        for file in (files[0], files[-1]):
            path = finished.folder / file
            text = path.read_text()
            path.write_text(text + ("# edited\n" if file.endswith(".py") else "\n"))
            try:
                planned = assert_planned(finished, before, edited={file})
            finally:
                path.write_text(text)
            assert {before[name].rule for name in planned} >= users[file]
    for rule in set().union(*users.values()):
        step = SHARED.get(rule, rule)
        own = f"workflow/rectify/{STEPS[step].replace('.', '/')}/{step}.py"
        assert own in {file for file, rules in users.items() if rule in rules}


@pytest.mark.parametrize("name", STUDY["figures"])
def test_an_edit_of_a_figures_module_redraws_that_figure_alone(finished, before, name):
    file = f"workflow/rectify/paper/figures/{name}.py"
    path = finished.folder / file
    text = path.read_text()
    path.write_text(f"{text}# edited\n")
    try:
        planned = assert_planned(finished, before, edited={file})
    finally:
        path.write_text(text)
    rules = [before[job].rule for job in planned]
    assert sorted(rules) == ["all", "judge_claims", "plot_figure", "render_report"]
    assert f"{RESULTS}/figures/{name}.csv" in planned


SHARED = {  # rules that have no step of their own name
    "pretrain_model": "train",
    "train_model": "train",
    "train_ppo": "ppo",
    "decode_benchmarks": "decode",
    "decode_questions": "decode",
    "decode_checkpoints": "decode",
    "decode_validation": "decode",
    "decode_retention": "decode",
    "find_validation_overlaps": "find_overlaps",
    "score_samples": "score",
    "score_questions": "score",
}
INPUTS = {
    "given/rows.jsonl": "sample_rows",
    "given/problems.jsonl": "sample_rows",
    "given/folder/rows.jsonl": "sample_rows",
    "given/model/config.json": "fetch_model",
    "given/model/model.safetensors": "fetch_model",
    "given/model.gguf": "convert_gguf",
    "given/other/config.json": "fetch_model",
    "given/own.py": "train_model",
    "given/claims.yaml": "judge_claims",
    "config/published.csv": "tabulate_scores",
}


@pytest.mark.parametrize("file", INPUTS)
def test_an_input_file_counts_by_its_content(finished, before, file):
    path = finished.folder / file
    content = path.read_bytes()
    path.touch()
    assert finished.planned() == ALWAYS
    path.write_bytes(content + b"\n")
    try:
        planned = assert_planned(finished, before, edited={file})
    finally:
        path.write_bytes(content)
    assert INPUTS[file] in {before[name].rule for name in planned}
    assert finished.planned() == ALWAYS


def test_a_touched_base_model_reruns_nothing(finished):
    for model in ("mini", "local"):
        (finished.folder / RESULTS / "models" / model / "base").touch()
    assert finished.planned() == ALWAYS


def test_a_large_file_counts_by_its_content_too(finished, before):
    """Snakemake's own bound is 1 MB."""
    path = finished.folder / "given" / "model" / "model.safetensors"
    small = path.read_bytes()
    try:
        with path.open("r+b") as file:
            file.truncate(2**21)
        assert_planned(finished, before, edited={"given/model/model.safetensors"})
        assert finished.run().returncode == 0
        path.touch()
        assert finished.planned() == ALWAYS
    finally:
        path.write_bytes(small)
        assert finished.run().returncode == 0


EXAMPLES = {
    "training.batch_size": 32,
    "training.max_length": 120,
    "models.mini.train_prompt": "chat-boxed",
    "models.mini.eval_prompt": "chat-boxed",
    "methods.added": {"title": "Added", "objective": "dft"},
}


def assert_one_call_is_enough(finished, study):
    """One call, and the study is what its manifests say; another has nothing to do."""
    assert finished.verify(study=study).returncode == 1
    done = finished.run(study=study)
    assert done.returncode == 0, done.stderr[-2000:]
    assert finished.verify(study=study).returncode == 0
    assert finished.planned(study=study) == ALWAYS


@pytest.mark.parametrize("key", EXAMPLES)
def test_one_call_after_a_changed_key_is_enough(finished, key):
    study = with_key(copy.deepcopy(STUDY), key.split("."), EXAMPLES[key])
    if key == "methods.added":
        study["tables"]["table1"]["methods"] = ["base", "sft", "added"]
    assert_one_call_is_enough(finished, study)


@pytest.mark.parametrize("module", ["models/tokenizer", "models/prompts"])
def test_one_call_after_an_edited_module_is_enough(finished, module):
    path = finished.folder / "workflow" / "rectify" / f"{module}.py"
    path.write_text(path.read_text() + "# edited\n")
    assert_one_call_is_enough(finished, STUDY)


def test_bad_input_stops_a_changed_study_before_anything_is_trained(finished):
    """A benchmark row without an answer, and another learning rate, which alone would train."""
    assert finished.run().returncode == 0
    path = finished.folder / "given" / "problems.jsonl"
    rows = path.read_text()
    models = sorted((finished.folder / RESULTS / "models").rglob("weights"))
    # a choice among trained models reads the benchmarks, and trains nothing
    trained = [file for file in models if file.parent.name != "swept-seed0"]
    times = [file.stat().st_mtime_ns for file in trained]
    study = with_key(copy.deepcopy(STUDY), ["training", "learning_rate"], 2e-4)
    study |= {"pinned": False}
    del study["benchmarks"]["file"]["sha256"]
    try:
        path.write_text(rows + json.dumps({"problem": "2+9?", "mark": 2}) + "\n")
        planned = finished.planned(study=study)
        assert f"{RESULTS}/models/mini/dft-seed0" in planned
        done = finished.run(study=study)
    finally:
        path.write_text(rows)
    assert done.returncode != 0
    assert "problems.jsonl" in done.stderr
    assert [file.stat().st_mtime_ns for file in trained] == times
    # nor is anything afterwards, when all is as it was before
    assert finished.run().returncode == 0
    assert [file.stat().st_mtime_ns for file in trained] == times
    assert finished.planned() == ALWAYS


def test_a_changed_benchmark_is_checked_anew_and_trains_nothing(finished, before):
    study = with_key(copy.deepcopy(STUDY), ["benchmarks", "world", "rows"], 9)
    planned = assert_planned(finished, before, study)
    rules = {before[name].rule for name in planned}
    assert {"check_model", "check_models", "decode_benchmarks"} < rules
    assert not {"pretrain_model", "train_model", "train_ppo", "decode_questions"} & rules


@pytest.mark.parametrize(
    "added", ["model/additional_chat_templates/x.jinja", "model/extra", "folder/LICENSE"]
)
def test_a_file_added_to_a_folder_counts_as_the_folders_content(finished, before, added):
    path = finished.folder / "given" / added
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_text("more")
        assert assert_planned(finished, before) != ALWAYS
    finally:
        path.unlink()
        if added.count("/") > 1:
            path.parent.rmdir()
    assert finished.planned() == ALWAYS


def test_a_hidden_file_in_a_folder_does_not(finished):
    path = finished.folder / "given" / "folder" / ".hidden.json"
    try:
        path.write_text("{}")
        assert finished.planned() == ALWAYS
    finally:
        path.unlink()
