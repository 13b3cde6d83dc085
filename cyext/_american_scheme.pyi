from collections.abc import Sequence

from skewline.cyext.arguments import Doubles

class Rule:
    def __init__(self, turn: Doubles, rows: Doubles) -> None: ...

class Stage:
    def __init__(self, points: int, sweeps: int, share: Doubles, prolong: Doubles, rule: Rule) -> None: ...

class Scheme:
    def __init__(self, stages: Sequence[Stage], premium: Rule, tolerance: float) -> None: ...
