"""Manifests, read: from a number back to its sources, and from a run to another."""
