"""Tables as Markdown."""

import re

import pandas as pd
from rectify.report.tables.markdown import as_markdown


def test_a_bar_in_a_title_ends_no_cell():
    frame = pd.DataFrame([{"Method": "p(a|b)", "KL(p || q)": "1.0"}])
    lines = as_markdown(frame).splitlines()
    assert "p(a\\|b)" in lines[2]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)
