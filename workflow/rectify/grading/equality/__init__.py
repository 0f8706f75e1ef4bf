"""From value to value: whether an answer is the gold.

decide     by text, by value, by signs
equal      one rule for each type of gold
rules      the rules by name
scalars    exact, then at points, then math-verify's
exact      a formula of whole numbers and fractions
notations  times of day, ratios, numbers in a base
intervals  sets of reals
equations  what stands left of an equals sign
relations  equations and inequalities
constants  letters that stand for any value
"""
