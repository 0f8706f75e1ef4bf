"""Whether an answer ends in a loop: the same piece of text again and again until it stopped."""

from __future__ import annotations

COPIES = 3  # of the piece, back to back; the last one may be cut
LEAST = 60  # characters that they are together
# as many of the last characters stand once more before the end of a text that ends in a loop
TAIL = LEAST - LEAST // COPIES


def ends_in_loop(text: str) -> bool:
    """Whether a text ends in a loop.

    It does if its last characters, LEAST or more, are one n-gram of characters, for any n, that
    stands there COPIES times or more back to back. Characters, as many loops of formulas have no
    spaces; at the end, as that is where a model that does not get out of one stops, and aligned
    equations, a matrix of zeros or a list in the midst of a solution are none. Copies that differ
    (counting on) are none either. Linear in the text's length: the last TAIL characters of most
    texts stand nowhere before; of the others the periods of all endings are computed, as by Knuth,
    Morris and Pratt (1977).
    """
    text = text.rstrip("\ufffd")  # a character that the last token has not all bytes of
    if len(text) < LEAST or text.rfind(text[-TAIL:], 0, len(text) - 1) < 0:
        return False
    backwards = text[::-1]
    borders, border = [0], 0  # of each ending of the text: the longest that it begins with, too
    for index in range(1, len(backwards)):
        while border and backwards[index] != backwards[border]:
            border = borders[border - 1]
        border += backwards[index] == backwards[border]
        borders.append(border)
        length = index + 1
        if length >= LEAST and length >= COPIES * (length - border):
            return True
    return False
