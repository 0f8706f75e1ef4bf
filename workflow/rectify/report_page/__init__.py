"""The report's page: what its sections show, its templates, its style and its scripts."""
