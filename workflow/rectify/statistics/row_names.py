"""What a row of a table is called in every text: its method, and the setting that sets it apart."""

from __future__ import annotations


def row_name(method: str, setting: str) -> str:
    """A row as "dft offline", or by titles "DFT offline"; as "dft" alone in the plain setting."""
    return method if setting in ("-", "sft") else f"{method} {setting}"
