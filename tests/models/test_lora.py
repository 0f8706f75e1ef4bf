"""LoRA: what is trained, what is written, and that nothing else of a training differs."""

import pandas as pd
import pytest
import torch
from helpers import assert_equal, interrupt, resumed_from
from rectify.models.folder import load_model, whole_weights, write_folder
from rectify.models.lora import add_adapters
from rectify.training.batches import collate
from rectify.training.reference_model import frozen_copy
from safetensors.torch import load_file
from small_training import examples_of, run
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*")
LORA = {"lora": {"rank": 4, "alpha": 8}}


@pytest.fixture
def adapted(model_folder):
    """A model whose adapters are no longer at their start."""
    model = load_model(model_folder, "fp32")
    add_adapters(model, rank=4, alpha=8, seed=0)
    for parameter in model.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.1)
    return model


def linear_layers(model):
    """The names and shapes of a plain model's linear layers, all but the head."""
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    return {f"{n}.weight": m.weight.shape for n, m in layers if n != "lm_head"}


def test_trained_are_r_rows_and_columns_of_every_linear_layer(model_folder, adapted):
    layers = linear_layers(load_model(model_folder, "fp32"))
    assert len(layers) == 7 * 2
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert trained == sum(4 * (rows + columns) for rows, columns in layers.values())


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["sft", "dft", "iw-sft", "mode-seeking", "asft"])
def test_training_adds_a_matrix_of_rank_r_to_every_linear_layer(
    model_folder, rows, tmp_path, objective
):
    """And changes nothing else: embeddings, head, biases and norms are the base model's."""
    examples = examples_of(model_folder, rows, 32)
    ours = run(model_folder, examples, tmp_path / "out", objective=objective, **LORA)
    base = load_file(model_folder / "model.safetensors")
    layers = linear_layers(load_model(model_folder, "fp32"))
    assert ours.keys() == base.keys()
    for name, weight in base.items():
        if name not in layers:
            assert torch.equal(ours[name], weight), name
            continue
        values = torch.linalg.svdvals((ours[name] - weight).double())
        assert values[3] > 1e-5, name
        assert values[4] < 1e-3 * values[3], name  # rounding of the sum to fp32


@pytest.mark.parametrize("tied", [False, True])
def test_the_merged_folder_is_the_adapted_model(model_folder, adapted, rows, tmp_path, tied):
    if tied:
        adapted.config.tie_word_embeddings = True
        adapted.tie_weights()
    write_folder(adapted, whole_weights(adapted), model_folder, tmp_path / "out")
    merged, base = load_model(tmp_path / "out", "fp32"), load_model(model_folder, "fp32")
    ids = collate(examples_of(model_folder, rows, 4))["input_ids"]
    with torch.no_grad():
        logits = adapted(ids).logits
        torch.testing.assert_close(merged(ids).logits, logits, rtol=0, atol=1e-5)
        assert (base(ids).logits - logits).abs().max() > 0.1
    assert (merged.lm_head.weight is merged.model.embed_tokens.weight) == tied


@pytest.mark.slow
def test_the_first_step_is_the_base_models(model_folder, rows, tmp_path):
    """B is 0: the same losses and weights as full fine-tuning has, no ratio but 1, no KL but 0."""
    examples = examples_of(model_folder, rows, 16)
    for objective in ("iw-sft", "asft"):
        logs = []
        for name, changes in (("full", {}), ("lora", LORA)):
            out = tmp_path / objective / name
            run(model_folder, examples, out, objective=objective, **changes)
            logs.append(pd.read_csv(out / "train.csv").iloc[0])
        full, lora = logs
        same = ["loss", "nll", "weight_mean", "weight_p10", "weight_max", "response_tokens"]
        assert lora[same].tolist() == full[same].tolist()
        assert lora["grad_norm"] != pytest.approx(full["grad_norm"], rel=0.01)
        if objective == "asft":
            assert lora["kl"] == pytest.approx(0, abs=1e-7)
        else:
            assert lora["ratio_deviation"] == 0


def test_the_reference_shares_the_frozen_weights_and_stays_the_base_model(model_folder, rows):
    model = load_model(model_folder, "fp32")
    add_adapters(model, rank=4, alpha=8, seed=0)
    reference = frozen_copy(model, shard=False)
    assert reference.lm_head.weight is model.lm_head.weight
    for parameter in model.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.1)
    batch = collate(examples_of(model_folder, rows, 4))
    base = frozen_copy(load_model(model_folder, "fp32"), shard=False)
    with torch.no_grad():
        assert torch.equal(reference(**batch), base(**batch))


@pytest.mark.slow
def test_memory_is_saved_without_a_change(model_folder, rows, tmp_path):
    """Gradient checkpointing, whose inputs are frozen embeddings here, loses no gradient."""
    examples = examples_of(model_folder, rows, 16)
    plain = run(model_folder, examples, tmp_path / "plain", **LORA)
    again = run(model_folder, examples, tmp_path / "again", gradient_checkpointing=True, **LORA)
    for name, weight in plain.items():
        torch.testing.assert_close(again[name], weight, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resume_equals_a_straight_run_bitwise(
    model_folder, rows, tmp_path, monkeypatch, capsys, precision
):
    """To the merged checkpoint of a learning curve."""
    examples = examples_of(model_folder, rows, 64)
    changes = {**LORA, "objective": "asft", "save_every": 3, "checkpoints": [2, 6]}
    changes["precision"] = precision
    straight = run(model_folder, examples, tmp_path / "straight", **changes)
    state = tmp_path / "state"
    with interrupt(monkeypatch, before_step=6):
        run(model_folder, examples, tmp_path / "cut", state, **changes)
    (state / "checkpoint-5").mkdir()  # half-written: never resumed from
    resumed = run(model_folder, examples, tmp_path / "cut", state, **changes)
    assert resumed_from(capsys) == ["checkpoint-3"]
    assert_equal(straight, resumed)
    for step in (2, 6):
        name = f"checkpoint-{step}/model.safetensors"
        assert_equal(load_file(tmp_path / "straight" / name), load_file(tmp_path / "cut" / name))
    assert straight.keys() == load_file(model_folder / "model.safetensors").keys()


@pytest.mark.slow
def test_the_seed_draws_the_adapters(model_folder, rows, tmp_path):
    examples = examples_of(model_folder, rows, 8)
    changes = {**LORA, "batch_size": 8, "schedule": "constant_with_warmup", "warmup_ratio": 0.0}
    first, again, other = (
        run(model_folder, examples, tmp_path / str(i), **{**changes, "seed": seed})
        for i, seed in enumerate((1, 1, 2))
    )
    assert_equal(first, again)
    name = "model.layers.0.self_attn.q_proj.weight"
    assert (first[name] - other[name]).abs().max() > 1e-4
