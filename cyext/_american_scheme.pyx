# cython: boundscheck=False, wraparound=False
"""What an accuracy level of the American kernel is made of; `american_rules` fills it in."""
from skewline.cyext._american_loops cimport SKW_AMERICAN_POINTS, SKW_AMERICAN_RULE, SKW_AMERICAN_STAGES


cdef class Rule:
    """A quadrature rule and the rows that give the boundary at its points."""

    def __init__(self, const double[:, ::1] turn, const double[:, ::1] rows):
        """`turn` has rows of sines, cosines and weights."""
        if turn.shape[1] > SKW_AMERICAN_RULE:
            raise ValueError(f"a rule has at most {SKW_AMERICAN_RULE} points")
        self.arrays = (turn, rows)
        self.rule.size = <int> turn.shape[1]
        self.rule.sine = &turn[0, 0]
        self.rule.cosine = &turn[1, 0]
        self.rule.weight = &turn[2, 0]
        self.rule.rows = &rows[0, 0]


cdef class Stage:
    """Sweeps on one mesh."""

    def __init__(self, int points, int sweeps, const double[::1] share, const double[:, ::1] prolong, Rule rule):
        if points > SKW_AMERICAN_POINTS:
            raise ValueError(f"a mesh has at most {SKW_AMERICAN_POINTS} points")
        self.arrays = (share, prolong, rule)
        self.stage.points = points
        self.stage.sweeps = sweeps
        self.stage.share = &share[0]
        self.stage.prolong = &prolong[0, 0]
        self.stage.rule = rule.rule


cdef class Scheme:
    """What is done to find the boundary, and the rule of the premium."""

    def __init__(self, stages, Rule premium, double tolerance):
        cdef Stage stage
        if not 0 < len(stages) <= SKW_AMERICAN_STAGES:
            raise ValueError(f"a scheme has 1 to {SKW_AMERICAN_STAGES} stages")
        self.parts = (tuple(stages), premium)
        self.scheme.stages = len(stages)
        for i, stage in enumerate(stages):
            self.scheme.stage[i] = stage.stage
        self.scheme.premium = premium.rule
        self.scheme.tolerance = tolerance
