"""Micro-batches read ahead of several updates: what is kept, and what a resume takes up."""

import pytest
import torch
from rectify.objectives.signature import load_objective
from rectify.step.errors import StepError
from rectify.training.old_policy import ReadAhead, updates_per_reading


def steps_of(ahead, batches, checkpoint, start=0, count=2):
    """The steps that are left of the batches, `count` micro-batches each."""
    iterator = iter(batches[start * count :])
    return [
        [batch["old_logp"].item() for batch in found]
        for step in range(start, len(batches) // count)
        if (found := ahead.next_step(iterator, count, step, checkpoint))
    ]


@pytest.fixture
def weights():
    """A model that is one number, and what reads a micro-batch with it."""
    state = {"value": 0.0}
    return state, lambda batch: batch["x"] + state["value"]


BATCHES = [{"x": torch.tensor(float(index))} for index in range(10)]


def test_old_values_are_those_at_the_start_of_each_batch_of_updates(weights, tmp_path):
    state, read = weights
    ahead, found = ReadAhead(2, read), []
    iterator = iter(BATCHES)
    for step in range(5):
        found += [b["old_logp"].item() for b in ahead.next_step(iterator, 2, step, tmp_path)]
        state["value"] += 100
    assert found == [0, 1, 2, 3, 204, 205, 206, 207, 408, 409]


def test_a_run_resumes_with_the_values_that_it_was_stopped_with(weights, tmp_path):
    state, read = weights
    ahead = ReadAhead(3, read)
    ahead.next_step(iter(BATCHES), 2, 0, tmp_path)
    ahead.save(tmp_path)
    state["value"] = 100.0  # what the step has made of the weights
    assert steps_of(ReadAhead(3, read), BATCHES, tmp_path, start=1) == [
        [2, 3], [4, 5], [106, 107], [108, 109],
    ]  # fmt: skip


def test_nothing_is_kept_at_the_end_of_a_batch_of_updates(weights, tmp_path):
    ahead = ReadAhead(1, weights[1])
    ahead.next_step(iter(BATCHES), 2, 0, tmp_path)
    ahead.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_resume_in_the_middle_without_them_is_refused(weights, tmp_path):
    with pytest.raises(StepError, match="resume this run with as many processes"):
        steps_of(ReadAhead(3, weights[1]), BATCHES, tmp_path, start=1)


def test_updates_are_the_parameter_or_the_steps_of_a_round():
    assert updates_per_reading(load_objective("dft"), 10) is None
    assert updates_per_reading(load_objective("psft", {"updates": 4}), 10) == 4
    assert updates_per_reading(load_objective("reward-variational", {"rounds": 3}), 10) == 4
