"""The published harness's rules, followed and not run."""
