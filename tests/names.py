"""Names, and whether they are the same but for case and white space: all that folds names has to agree on these."""

from __future__ import annotations

NAMES = [
    ("ΟΔΟΣ", "ΟΔΟΣ", True),
    ("ΟΔΟΣ", "οδος", True),
    ("ΜΙΚΡΟΣ ΟΔΟΣ", "μικρος\u00a0\t οδος", True),
    ("İstanbul", "İSTANBUL", True),
    ("İstanbul", "i\u0307stanbul", True),
    ("İstanbul", "Istanbul", False),
]
