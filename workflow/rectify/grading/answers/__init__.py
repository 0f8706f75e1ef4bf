"""From text to value: what an answer says.

values      the types of answers
read        a normalised text as one of them
numbers     plain numbers, exactly
formula     LaTeX as a tree, and its value at a point
measures    times of day, durations, ratios, dates
units       behind an answer: known, dropped, told apart
phrases     what words around a number say
asides      what stands beside a value: a second form, a reason, a place
texts       names, options, digits in a base
real_sets   sets of reals in words
conditions  behind an answer: where k is an integer
statements  compared as signs
"""
