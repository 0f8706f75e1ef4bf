"""What another study has made of the same things is taken from there; of anything else, nothing."""

import json
import os
import shutil
from argparse import Namespace
from pathlib import Path

import pytest
from rectify.step import environment, manifest, reuse
from small_study import inside


class Studies:
    """A folder of studies whose step `train` only counts how often it has been run."""

    def __init__(self):
        self.runs = 0

    def train(self, study, seed=0, rows="rows", noted=None):
        """Run it as rectify.step.command.run_step does: the folder that it wrote."""
        base = Path("results", study)
        (base / "data").mkdir(parents=True, exist_ok=True)
        (base / "data" / "training.parquet").write_text(rows)
        arguments = Namespace(
            settings={"seed": seed, "objective": "own.py:first"},
            rows=str(base / "data" / "training.parquet"),
            out=str(base / "models" / f"seed{seed}"), state=str(base / "state"),
        )  # fmt: skip
        with manifest.kept("train", arguments):
            if not reuse.take("train", arguments):
                self.runs += 1
                if noted:
                    manifest.note_input(noted)
                manifest.note(truncated=3)
                folder = Path(arguments.out)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "model.safetensors").write_text(f"{seed} {rows}")
                (folder / "train.csv").write_text("step,nll\n")
        reuse.offer("train", arguments)
        return Path(arguments.out)


@pytest.fixture
def studies(tmp_path):
    with inside(tmp_path):
        yield Studies()


def stated(folder):
    return json.loads(manifest.beside(folder).read_text())


def test_a_second_study_takes_what_the_first_has_made(studies):
    first, second = studies.train("one"), studies.train("two")
    assert studies.runs == 1
    assert (second / "model.safetensors").read_text() == "0 rows"
    own, other = stated(second), stated(first)
    assert own["outputs"][0]["sha256"] == other["outputs"][0]["sha256"]
    assert own["notes"] == {"truncated": 3, "taken_from": "results/one/models/seed0.manifest.json"}
    assert own["inputs"][0]["path"] == "results/two/data/training.parquet"


def test_a_models_files_are_stored_once(studies):
    first, second = studies.train("one"), studies.train("two")
    assert os.path.samefile(first / "model.safetensors", second / "model.safetensors")
    shutil.rmtree("results/one")
    assert (second / "model.safetensors").read_text() == "0 rows"


def test_other_settings_and_other_rows_are_made_anew(studies):
    studies.train("one")
    studies.train("two", seed=1)
    studies.train("three", rows="others")
    assert studies.runs == 3


def test_other_code_packages_and_processors_make_anew(studies, monkeypatch):
    studies.train("one")
    for name, changed in (
        ("code_sha256", lambda step: "other"),
        ("versions", lambda: {"torch": "other"}),
        ("machine", lambda: environment.machine() | {"cpu": "other"}),
        ("machine", lambda: environment.machine() | {"kernels": "other"}),
        ("machine", lambda: environment.machine() | {"gpus": ["other"]}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(reuse, name, changed)
            studies.train("two")
    assert studies.runs == 6


@pytest.mark.parametrize("spoil", ["change", "delete"])
def test_a_result_that_is_not_as_stated_is_not_taken(studies, spoil):
    weights = studies.train("one") / "model.safetensors"
    weights.write_text("x") if spoil == "change" else weights.unlink()
    second = studies.train("two")
    assert studies.runs == 2
    assert (second / "model.safetensors").read_text() == "0 rows"
    studies.train("three")  # from the second
    assert studies.runs == 2


def test_a_users_own_function_that_has_changed_makes_anew(studies):
    Path("own.py").write_text("def first(): ...")
    studies.train("one", noted="own.py")
    studies.train("two", noted="own.py")
    assert studies.runs == 1
    Path("own.py").write_text("def first(): return 1")
    studies.train("three", noted="own.py")
    assert studies.runs == 2


def test_what_was_made_anew_after_a_change_is_no_longer_taken_for_the_old(studies):
    studies.train("one")
    studies.train("one", rows="others")  # in the first one's place
    studies.train("two")
    assert studies.runs == 3


def test_a_forced_rerun_in_the_same_study_is_one(studies):
    shutil.rmtree(studies.train("one"))  # as Snakemake does before it
    studies.train("one")
    assert studies.runs == 2


def test_a_rerun_by_hand_over_its_own_result_is_one(studies):
    studies.train("one")
    studies.train("one")
    assert studies.runs == 2


def test_several_processes_that_train_together_take_nothing(studies, monkeypatch):
    studies.train("one")
    monkeypatch.setenv("WORLD_SIZE", "2")
    studies.train("two")
    assert studies.runs == 2


def test_a_file_is_copied_so_that_its_time_is_its_own(studies):
    """Snakemake sets an output's time after its job."""
    for study in ("one", "two"):
        arguments = Namespace(out=f"results/{study}/scores/base.parquet", samples=["samples"])
        Path("samples").write_text("samples")
        with manifest.kept("score", arguments):
            if not reuse.take("score", arguments):
                Path(arguments.out).parent.mkdir(parents=True)
                Path(arguments.out).write_text("scores")
        reuse.offer("score", arguments)
    first, second = (Path(f"results/{study}/scores/base.parquet") for study in ("one", "two"))
    assert second.read_text() == "scores"
    assert "taken_from" in stated(second.with_suffix(""))["notes"]
    assert not os.path.samefile(first, second)


def test_what_hinders_the_look_hinders_no_step(studies):
    studies.train("one")
    Path("results/two/data").mkdir(parents=True)
    Path("results/two/data/training.manifest.json").write_text("{}")  # the rows', damaged
    second = studies.train("two")
    assert studies.runs == 2
    assert (second / "model.safetensors").is_file()


def test_all_files_of_a_stem_are_taken_together(studies):
    """Such as those of rectify weigh_rows: a Parquet file and two short tables."""
    made = []

    def weigh(study):
        base = Path("results", study, "row_weights", "m", "dft-seed0")
        base.parent.mkdir(parents=True)
        arguments = Namespace(settings={"seed": 0}, out=str(base))
        with manifest.kept("weigh_rows", arguments):
            if not reuse.take("weigh_rows", arguments):
                made.append(study)
                for ending in (".parquet", ".csv", ".md"):
                    base.with_suffix(ending).write_text(f"{study}{ending}")
        reuse.offer("weigh_rows", arguments)
        return base

    first, second = weigh("one"), weigh("two")
    assert made == ["one"]
    for ending in (".parquet", ".csv", ".md"):
        assert second.with_suffix(ending).read_text() == first.with_suffix(ending).read_text()
    assert len(stated(second)["outputs"]) == 3
