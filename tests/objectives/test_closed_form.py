"""The one-step closed form for linear features, against the tilted distribution itself."""

import re
import runpy

import pytest
import torch
from definition import DOUBLE
from helpers import ROOT
from rectify.objectives.closed_form import one_step, whitened


def draw(n=40, d=3):
    """Features and a matrix that makes their coordinates unlike and dependent."""
    torch.manual_seed(0)
    return torch.randn(n, d, **DOUBLE) @ torch.randn(d, d, **DOUBLE) + 3


def test_whitened_features_have_mean_0_and_covariance_1_and_lose_what_depends():
    features = draw()
    more = torch.cat([features, features[:, :1] * 2], dim=1)
    for given in (features, more):
        white = whitened(given)
        assert white.shape == (40, 3)
        torch.testing.assert_close(white.mean(0), torch.zeros(3, **DOUBLE), atol=1e-12, rtol=0)
        torch.testing.assert_close(white.T @ white / 40, torch.eye(3, **DOUBLE))


def test_a_reward_that_is_linear_in_the_features_is_tilted_to_exactly():
    """Theta . phi is r / beta but for a constant, which the normalisation takes."""
    white = whitened(draw())
    rewards = white @ torch.tensor([1.0, -2.0, 0.5], **DOUBLE) + 7
    theta = one_step(white, rewards, beta=0.5)
    torch.testing.assert_close(theta, torch.tensor([2.0, -4.0, 1.0], **DOUBLE))
    ours, best = (white @ theta).softmax(0), (rewards / 0.5).softmax(0)
    torch.testing.assert_close(ours, best)


def test_it_is_the_first_order_of_the_best_policy_among_the_tilts():
    """As beta grows, the tilt that maximises reward less beta KL comes to be theta."""
    white = whitened(draw())
    torch.manual_seed(1)
    rewards = torch.randn(40, **DOUBLE)
    off = []
    for beta in (10.0, 100.0):
        theta = torch.zeros(3, **DOUBLE, requires_grad=True)
        optimiser = torch.optim.LBFGS(
            [theta], max_iter=500, tolerance_grad=1e-15, tolerance_change=1e-30
        )

        def loss(theta=theta, beta=beta, optimiser=optimiser):
            optimiser.zero_grad()
            logq = (white @ theta).log_softmax(0)
            value = -(logq.exp() * (rewards - beta * (logq + torch.tensor(40.0).log()))).sum()
            (value / beta).backward()
            return value / beta

        optimiser.step(loss)
        found, first = theta.detach(), one_step(white, rewards, beta)
        off.append(((found - first).norm() / first.norm()).item())
    assert off[1] == pytest.approx(off[0] / 10, rel=0.2)
    assert off[1] < 0.02


@pytest.mark.slow
def test_the_pages_table_is_what_its_command_prints(monkeypatch, capsys):
    """And on other questions, too, a smaller beta has more right answers, further from p_0."""
    page = (ROOT / "config/objectives/closed_form.md").read_text()
    (script,) = re.findall(r"^    python (\S+)$", page, re.MULTILINE)
    monkeypatch.chdir(ROOT)
    runpy.run_path(script, run_name="__main__")
    printed = capsys.readouterr().out
    assert printed in page
    lines = [line for line in printed.splitlines() if re.match(r"\| \d", line)]
    rows = [[float(cell) for cell in line.strip("| ").split(" | ")] for line in lines]
    assert len(rows) == 4
    before = float(re.search(r"as many others, ([\d.]+) %", printed)[1])
    for column in (3, 4):
        values = [row[column] for row in rows]
        assert values == sorted(values)
    assert rows[0][3] > before
    assert all(row[3] < row[1] < row[5] for row in rows)
