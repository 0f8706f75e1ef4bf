"""How large a study's models are, and what memory and disk they take: for plan and doctor."""

from __future__ import annotations

from pathlib import Path

from rectify.jobs import runs
from rectify.step.errors import StepError
from rectify.study.methods import place_of
from rectify.study.schema import Study
from rectify.study.training import Model, Pretraining, Training

GB = 1e9
# bytes per parameter: weights, gradients and AdamW's two moments
TRAINING_BYTES = {"fp32": 16, "bf16-mixed": 16, "bf16": 8}
CHECKPOINT_BYTES = {"fp32": 12, "bf16-mixed": 12, "bf16": 6}  # weights and both moments
WEIGHT_BYTES = {"fp32": 4, "bf16-mixed": 4, "bf16": 2}  # of a saved model, or a frozen one
WORKING_BYTES = 12 * GB  # assumed for activations, logits and the CUDA context, per GPU


def miniature_parameters(pretraining: Pretraining) -> int:
    """Weights of a Qwen2 or Llama model of this shape (biases and norms are left out)."""
    shape = pretraining.shape
    width, keys = shape.hidden_size, shape.num_key_value_heads / shape.num_attention_heads
    attention = width * width * (2 + 2 * keys)
    layer = attention + 3 * width * shape.intermediate_size
    embeddings = pretraining.vocabulary * width * (1 if shape.tie_word_embeddings else 2)
    return round(shape.num_hidden_layers * layer + embeddings)


def folder_parameters(folder: Path) -> int:
    """Weights in a model folder's safetensors files, from their headers."""
    from safetensors import safe_open

    total = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(str(file), framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (not a dict)
                size = 1
                for length in tensors.get_slice(name).get_shape():
                    size *= length
                total += size
    return total


def parameters(name: str, model: Model) -> int:
    """A base model's weights; raises StepError if neither its files nor the study tell."""
    if model.pretrain:
        return miniature_parameters(model.pretrain)
    if model.path and Path(model.path).is_dir() and (found := folder_parameters(Path(model.path))):
        return found
    if model.parameters:
        return round(model.parameters)
    source = model.path or model.gguf
    raise StepError(f"models.{name}.parameters: needed, since {source} is not a local folder")


def training_memory(weights: int, training: Training, gpus: int) -> float:
    """Bytes per GPU that a training needs at least; LoRA's adapters are not counted."""
    shared = gpus if training.sharding == "full" else 1
    bytes_of = WEIGHT_BYTES if training.lora else TRAINING_BYTES
    return weights * bytes_of[training.precision] / max(shared, 1) + WORKING_BYTES


def training_needs(study: Study, gpus: int) -> dict[str, float]:
    """By model, the bytes per GPU that the largest of its trainings needs, on so many GPUs."""
    found = dict.fromkeys(study.models, 0.0)
    for run in runs.trained_runs(study).values():
        weights = parameters(run.model, study.models[run.model])
        need = training_memory(weights, study.training_of(run.model, run.method), gpus)
        found[run.model] = max(found[run.model], need)
    return found


def download_bytes(study: Study) -> float:
    """Bytes of the base models and ready checkpoints that come from the hub, in bf16."""
    fetched = [name for name, model in study.models.items() if model.path]
    places = [study.models[name].path for name in fetched]
    for method in study.methods.values():
        for name, checkpoint in (method.checkpoint or {}).items():
            fetched.append(name)
            places.append(place_of(checkpoint)[0])
    return sum(
        2.0 * parameters(name, study.models[name])
        for name, place in zip(fetched, places, strict=True)
        if not Path(place).is_dir()
    )


def disk_bytes(study: Study) -> float:
    """Bytes of all trained models and checkpoints, and of base models made of GGUF files."""
    total = 0.0
    for name, model in study.models.items():
        if model.gguf:
            total += parameters(name, model) * (4 if model.dtype == "float32" else 2)
    for run in runs.trained_runs(study).values():
        training = study.training_of(run.model, run.method)
        size = parameters(run.model, study.models[run.model]) * WEIGHT_BYTES[training.precision]
        total += size * (1 + len(runs.checkpoints_of(study, run)))
    return total
