"""Make a GGUF file the base model of a study: an ordinary transformers folder, dequantised.

    rectify convert_gguf --settings SETTINGS --out FOLDER

SETTINGS is a file of JSON: gguf (a file, or a URL with its sha256), sha256 (or null), dtype (of the
weights that are written: float32 or bfloat16). The manifest says from which quantisation
the weights are: they are near the model's own, and are not them.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import torch

from rectify.data.row_files import cache, keep, read_bytes
from rectify.models.encoding import opening
from rectify.models.gguf_file import begins_with, read_header, read_model, read_tokenizer
from rectify.models.tokenizer import load_tokenizer
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing, sha256
from rectify.step.manifest import note, note_input


def local_file(path: str, wanted: str | None) -> Path:
    """The file, a remote one kept by its checksum; raises StepError if it has another, or is not
    there.
    """
    file = Path(path)
    if "://" in path:
        file = cache() / wanted
        if not file.is_file() or sha256(file) != wanted:
            keep(file, read_bytes(path))
    elif not file.is_file():
        raise StepError(f"{path}: no such file")
    if wanted and (found := sha256(file)) != wanted:
        raise StepError(f"{path}: its sha256 is {found}, but the study says {wanted}")
    return file


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    file = local_file(settings.gguf, settings.sha256)
    if "://" not in settings.gguf:
        note_input(settings.gguf)
    header = read_header(file)
    tokenizer = read_tokenizer(file, header)
    model = read_model(file, header, getattr(torch, settings.dtype))
    with replacing(arguments.out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        loaded = load_tokenizer(folder)
        if bool(opening(loaded)) != begins_with(header):
            raise StepError(
                f"{file}: begins a text with BOS, or not, other than the tokenizer made of it"
            )
    held = ", ".join(f"{count} {kind}" for kind, count in header.quantisation.items())
    note(gguf_package=version("gguf"))
    note(weights=f"dequantised from GGUF to {settings.dtype}", quantisation=header.quantisation)
    print(f"{model.num_parameters():,} parameters, dequantised from tensors of {held}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("convert_gguf", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="folder to write")
    return options
