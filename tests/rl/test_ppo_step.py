"""One step of PPO: its parts, and the whole against the formulas spelled out."""

import copy
from pathlib import Path
from types import SimpleNamespace

import torch
from helpers import PPO
from rectify.models.encoding import Example
from rectify.models.folder import load_model
from rectify.models.stops import cut_after_stop, stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import IGNORED
from rectify.rl import ppo, rollout
from rectify.rl.actor_critic import Critic, Run, take, token_logp
from rectify.rl.questions import Question
from rectify.training.batches import collate


def test_log_probabilities_are_those_of_each_sequence_alone(model_folder, prompts):
    model = load_model(model_folder, "fp32").eval()
    examples = [Example(p, prompts[(i + 1) % 16][: 2 + i % 5]) for i, p in enumerate(prompts)]
    batch = collate(examples)
    batch["mask"] = batch["targets"] != IGNORED
    found = token_logp(model, batch, 0.7)
    for row, example in enumerate(examples):
        logits = model(torch.tensor([example.prompt + example.response])).logits[0] / 0.7
        places = torch.arange(len(example.prompt) - 1, len(example) - 1)
        expected = logits.log_softmax(-1)[places, torch.tensor(example.response)]
        torch.testing.assert_close(found[row, places], expected, rtol=0, atol=2e-6)
        assert found[row].count_nonzero() == len(example.response)
    part = take(batch, torch.tensor([3, 5]))
    assert part["mask"][:, -1].any()
    part_logp = token_logp(model, part, 0.7)
    torch.testing.assert_close(part_logp, found[[3, 5], : part_logp.shape[1]], rtol=0, atol=2e-6)


def test_drawing_ends_at_stops_and_the_padding_of_prompts_has_no_say(model_folder, prompts):
    """At a low temperature all draws are the most probable token, batched or alone."""
    model = load_model(model_folder, "fp32")
    with torch.no_grad():
        model.lm_head.weight.mul_(20)  # a random model's two best tokens may be all but alike
    cold = {"max_new_tokens": 12, "temperature": 1e-4, "seed": 0}
    together = rollout.draw(model, prompts, [0], **cold)
    alone = [rollout.draw(model, [prompt], [0], **cold)[0] for prompt in prompts]
    assert together == alone
    stop = together[0][3]
    stopped = rollout.draw(model, prompts, [stop], **cold)
    assert stopped == [cut_after_stop(answer, [stop]) for answer in together]
    warm = {**cold, "temperature": 1.0}
    first = rollout.draw(model, prompts, [0], **warm)
    torch.rand(5)  # the draws before have no say either
    assert rollout.draw(model, prompts, [0], **warm) == first
    assert rollout.draw(model, prompts, [0], **{**warm, "seed": 1}) != first


def test_draws_follow_the_models_probabilities(model_folder, prompts):
    """Counts of the first token over 4,000 draws, within 5 standard errors."""
    model = load_model(model_folder, "fp32").eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(20)  # a random model's probabilities are all alike
    prompt, count = prompts[0], 4000
    options = {"max_new_tokens": 1, "temperature": 0.8, "seed": 3}
    answers = rollout.draw(model, [prompt] * count, [0], **options)
    found = torch.bincount(torch.tensor(answers)[:, 0], minlength=model.config.vocab_size) / count
    with torch.no_grad():
        p = (model(torch.tensor([prompt])).logits[0, -1] / 0.8).softmax(-1)
    assert p.max() > 0.02
    assert ((found - p).abs() <= 5 * (p * (1 - p) / count).sqrt() + 1e-3).all()


def test_critic_starts_at_0_and_shares_nothing_with_the_policy(model_folder):
    model = load_model(model_folder, "fp32")
    critic = Critic(model)
    assert not critic(torch.tensor([[1, 2, 3]])).any()
    owned = {parameter.data_ptr() for parameter in model.parameters()}
    assert not owned & {parameter.data_ptr() for parameter in critic.parameters()}


ODD = {
    "clip": 0.13,
    "value_clip": 0.07,
    "kl": 0.3,
    "gamma": 0.93,
    "lam": 0.81,
    "epochs": 2,
    "mini_batches": 2,
    "value_learning_rate": 0.4,
    "max_new_tokens": 5,
    "temperature": 0.8,
}


class Naive:
    """A step of PPO from the papers' formulas, sequence by sequence; plain gradient descent."""

    def __init__(self, run, questions, scores, seed):
        self.policy, self.critic = copy.deepcopy(run.policy), copy.deepcopy(run.critic)
        options = {"max_new_tokens": 5, "temperature": 0.8, "seed": seed}
        stops = stop_token_ids(load_tokenizer(questions.folder))
        self.prompts, self.outside = questions.prompts, [0, 0]
        self.answers = rollout.draw(self.policy, self.prompts, stops, **options)
        with torch.no_grad():
            self.old = [self.logp(self.policy, i) for i in range(8)]
            self.old_values = [self.values(i) for i in range(8)]
            ref = [self.logp(run.reference, i) for i in range(8)]
        self.advantages, self.returns = [], []
        for old, first, values, score in zip(self.old, ref, self.old_values, scores, strict=True):
            rewards = [-0.3 * (new - start) for new, start in zip(old, first, strict=True)]
            rewards[-1] += score
            values, found, after, value_after = values.tolist(), [], 0.0, 0.0
            for reward, value in reversed(list(zip(rewards, values, strict=True))):
                after = reward + 0.93 * value_after - value + 0.93 * 0.81 * after
                value_after = value
                found.insert(0, float(after))
            self.returns.append(torch.tensor(found) + torch.tensor(values))
            self.advantages.append(torch.tensor(found))
        every = torch.cat(self.advantages)
        self.advantages = [(a - every.mean()) / every.std() for a in self.advantages]

    def places(self, i):
        ids = self.prompts[i] + self.answers[i]
        return torch.tensor([ids]), slice(len(self.prompts[i]) - 1, len(ids) - 1)

    def logp(self, model, i):
        ids, places = self.places(i)
        logp = (model(ids).logits[0, places] / 0.8).log_softmax(-1)
        return logp[range(len(self.answers[i])), self.answers[i]]

    def values(self, i):
        ids, places = self.places(i)
        return self.critic(ids)[0, places]

    def losses(self, i):
        """Policy's and critic's, summed over an answer's tokens."""
        ratio = (self.logp(self.policy, i) - self.old[i]).exp()
        kept = ratio.clamp(1 - 0.13, 1 + 0.13)
        policy = -torch.minimum(ratio * self.advantages[i], kept * self.advantages[i])
        values, old = self.values(i), self.old_values[i]
        near = torch.clamp(values, old - 0.07, old + 0.07)
        worse = torch.maximum((values - self.returns[i]) ** 2, (near - self.returns[i]) ** 2)
        self.outside[0] += int((kept != ratio).sum())
        self.outside[1] += int((near != values).sum())
        return policy.sum(), worse.sum() / 2

    def update(self, seed, rates, norm):
        generator = torch.Generator().manual_seed(seed)
        for _ in range(2):
            order = torch.randperm(8, generator=generator).tolist()
            for mini in (order[:4], order[4:]):
                sums = [sum(part) for part in zip(*map(self.losses, mini), strict=True)]
                tokens = sum(len(self.answers[i]) for i in mini)
                for network, loss, rate in zip(
                    (self.policy, self.critic), sums, rates, strict=True
                ):
                    parameters = list(network.parameters())
                    found = torch.autograd.grad(loss / tokens, parameters)
                    length = torch.cat([g.flatten() for g in found]).norm()
                    for parameter, gradient in zip(parameters, found, strict=True):
                        parameter.data -= rate * gradient * min(1.0, norm / length.item())


def test_a_step_is_that_of_the_formulas_spelled_out(model_folder, prompts, always_finished):
    """Every setting has a value of its own, and clips are reached."""
    changes = {"ppo": ODD, "max_grad_norm": 0.2, "micro_batch_size": 3, "weight_decay": 0.07}
    run = Run(load_model(model_folder, "fp32"), SimpleNamespace(**{**PPO, **changes}), 4)
    groups = [(group["initial_lr"], group["weight_decay"]) for group in run.optimiser.param_groups]
    assert groups == [(1e-3, 0.07), (1e-3, 0.0), (0.4, 0.07), (0.4, 0.0)]
    assert run.optimiser.defaults["betas"] == (0.9, 0.95)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in (*run.policy.parameters(), *run.critic.parameters()):
            parameter.add_(0.05 * torch.randn_like(parameter))
    networks, rates = (run.policy, run.critic), (0.5, 0.4)
    run.optimiser = torch.optim.SGD(
        [{"params": n.parameters(), "lr": r} for n, r in zip(networks, rates, strict=True)]
    )
    run.scheduler = torch.optim.lr_scheduler.ConstantLR(run.optimiser, factor=1.0)
    scores = [index * 0.37 % 1 for index in range(8)]
    naive = Naive(run, SimpleNamespace(folder=model_folder, prompts=prompts[:8]), scores, seed=5)
    start = copy.deepcopy(run.policy)
    questions = [Question(prompt, "") for prompt in prompts[:8]]
    batch, _ = ppo.roll_out(
        run, load_tokenizer(model_folder), questions, lambda golds, texts: scores, seed=5
    )
    ppo.update(run, batch, 7, 1, Path())
    naive.update(7, rates, norm=0.2)
    assert all(naive.outside)
    for mine, reference in zip(networks, (naive.policy, naive.critic), strict=True):
        for one, other in zip(mine.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=2e-6)
    moved = [(a - b).abs().max() for a, b in zip(run.policy.parameters(), start.parameters(),
             strict=True)]  # fmt: skip
    assert max(moved) > 1e-3
