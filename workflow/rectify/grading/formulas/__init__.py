"""From LaTeX to a tree, and to its value.

formula     a formula's tree, and its value at a point
arithmetic  the trees of most formulas
parser      math-verify's, for the others
"""
