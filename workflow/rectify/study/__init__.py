"""What is run, described by one YAML file: its keys, its checks, their documentation."""
