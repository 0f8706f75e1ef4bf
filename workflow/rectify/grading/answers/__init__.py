"""From text to value: what an answer says."""
