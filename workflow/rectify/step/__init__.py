"""What every step stands on: its command line, files, errors, and the manifest beside a result."""
