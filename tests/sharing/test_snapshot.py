"""What is kept of a finished study as a reference."""

from rectify.sharing.snapshot import without_folders


def test_where_ones_data_lay_is_left_out():
    """A home folder tells a name; the hash says which file it was."""
    given = {
        "options": {
            "data_dir": "/home/someone/data",
            "out": "results/s/x",
            "mixed": [],
            "n": 2,
        },
        "inputs": [
            {"path": "/home/someone/data/x.jsonl", "sha256": "1"},
            {"path": "results/s/settings/x.json", "sha256": "2"},
        ],
        "settings": {"file": "x.jsonl"},
    }
    assert without_folders(given) == {
        "options": {"data_dir": "data", "out": "results/s/x", "mixed": [], "n": 2},
        "inputs": [
            {"path": "x.jsonl", "sha256": "1"},
            {"path": "results/s/settings/x.json", "sha256": "2"},
        ],
        "settings": {"file": "x.jsonl"},
    }
