"""From text to text: one spelling for golds and answers, before anything is parsed.

normalise  all rules in their order
dress      takes off what a typesetter puts around an answer
signs      Unicode's and LaTeX's
angles     degrees, minutes, seconds
spelling   a formula as math-verify's parser reads it
brackets   cut outside of brackets, look into them
limits     what is too much for a text to be an answer
"""
