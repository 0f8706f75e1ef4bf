"""The published harness's list of units (`unit_texts`, mainly from MathQA), kept verbatim."""

import re

_SINGULAR = re.split(
    r"\|",
    "east|degree|mph|kmph|ft|m sqaure| m east|sq m|deg|mile|q .|monkey|prime|ratio|profit of rs|"
    "rd|o|gm|p . m|lb|tile|per|dm|lt|gain|ab|way|west|a .|b .|c .|d .|e .|f .|g .|h .|t|a|h|"
    "no change|men|soldier|pie|bc|excess|st|inches|noon|percent|by|gal|kmh|c|acre|rise|a . m|th|"
    "π r 2|sq|mark|l|toy|coin|sq . m|gallon|° f|profit|minw|yr|women|feet|am|pm|hr|cu cm|square|"
    "v â € ™|are|rupee|rounds|cubic|cc|mtr|s|ohm|number|kmph|day|hour|minute|min|second|man|"
    "woman|sec|cube|mt|sq inch|mp|∏ cm ³|hectare|more|sec|unit|cu . m|cm 2|rs .|rs|kg|g|month|km|"
    "m|cm|mm|apple|liter|loss|yard|pure|year|increase|decrease|d|less|Surface|litre|pi sq m|s .|"
    "metre|meter|inch",
)
UNIT_WORDS = (*_SINGULAR, *(word + "s" for word in _SINGULAR))
BY_FIRST_WORD: dict[str, list[int]] = {}
"""The places of the units that begin with a word. Their points come behind spaces, so that a text
has a unit in it only where that word stands alone.
"""
for _place, _unit in enumerate(UNIT_WORDS):
    BY_FIRST_WORD.setdefault(re.search(r"\w+", _unit)[0], []).append(_place)
