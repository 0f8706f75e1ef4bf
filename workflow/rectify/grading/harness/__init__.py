"""The published harness's rules, followed and not run.

equal   its verdict on an answer
text    what it extracts and strips
units   its list of units
values  its symbolic_equal, by values
latex   what sympy's parse_latex reads of a text
tokens  the alphabet of that, and a place in a text
"""
