"""The implementations of a rule in frameworks and papers, against the objectives here."""

import pytest
import torch
from definition import loss_of
from helpers import ROOT
from rectify.objectives.built_in import RULES
from rectify.objectives.list_objectives import page, variants
from rectify.objectives.signature import check_parameters
from rectify.objectives.variants import LENGTHS, VARIANTS, compared, loss_and_gradient, made

HAD = [variant for variant in VARIANTS if variant.objective]


def ours(variant):
    """Loss and gradient of the objective that a variant is had by."""
    of = made()
    rows = [slice(None)]
    if variant.setting.startswith("accumulation: sum_of_means"):
        rows = [slice(index, index + 1) for index in range(len(LENGTHS))]
    loss = 0
    for row in rows:
        given = (of.logits[row], of.targets[row], of.mask[row], of.ref_logits[row])
        loss = loss + loss_of(variant.objective, *given, **variant.parameters) / len(rows)
    return loss.detach(), torch.autograd.grad(loss, of.logits)[0]


@pytest.mark.parametrize("variant", HAD, ids=lambda v: f"{v.rule}: {v.where}")
def test_the_objective_has_the_gradient_of_the_frameworks_formula(variant):
    (loss, gradient), (own_loss, own) = loss_and_gradient(variant), ours(variant)
    assert gradient.abs().max() > 1e-6
    torch.testing.assert_close(own, gradient, rtol=1e-6, atol=1e-9)
    assert torch.isclose(own_loss, loss, rtol=1e-6) == variant.own_loss


def test_parameters_of_a_variant_are_the_objectives():
    for variant in HAD:
        check_parameters(variant.objective, RULES[variant.objective].weight, variant.parameters)


def test_what_a_difference_comes_to():
    """Axolotl's EAFT is three times the paper's; twinkle's DFT turns round; IDFT's losses.py has
    no gradient at all.
    """
    of = {variant.where: numbers for variant, *numbers in compared()}
    _, _, ratio, cosine = of["axolotl: not over 3"]
    assert (ratio, cosine) == (pytest.approx(3), pytest.approx(1))
    assert of["twinkle@1a1d884: p is not detached"][3] < 0
    assert of["losses.py: all of the loss is detached"][1] == 0


def test_the_page_of_objectives_is_what_the_command_prints():
    kept = (ROOT / "config" / "objectives" / "README.md").read_text(encoding="utf-8")
    assert kept == "\n".join(page()) + "\n"
    assert all(f"| `{name}` |" in kept for name in RULES)
    assert "\n".join(variants()) + "\n" in kept


def test_a_rule_names_its_source_and_says_where_no_code_was_read():
    """Defined here, a paper or an issue; a repository with its commit."""
    for name, rule in RULES.items():
        assert rule.source, name
        if rule.code:
            assert "@" in rule.code, name
