"""An objective of one's own, named in a study by its file and function:

    unsure: {title: Unsure tokens, objective: config/objectives/example.py:unsure}

among the `methods`, with `parameters: {power: 2}` if the default does not do. A function is given
what it names among its arguments (config/objectives/README.md lists what there is); an
argument with a default is a parameter. It returns each response token's weight.
"""


def unsure(logp, power=1.0):
    """(4 p (1 - p))^power: most weight where the model is unsure, none where it is certain.

    logp [B, T]: log-probability of each token of the response, in nats. Returns [B, T], in [0, 1].
    """
    p = logp.exp()
    return (4 * p * (1 - p)).clamp(min=0) ** power
