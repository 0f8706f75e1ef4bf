"""Speed, measured side by side: each module is a bench, `python -m bench.<name> --help`."""
