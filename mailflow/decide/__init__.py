"""Facts in, decision out: one table of named rules, read from top to bottom."""

from mailflow.decide.facts import Facts, FirstCopy, History, Policy
from mailflow.decide.identity import identity
from mailflow.decide.table import INCOMING, decide

__all__ = ["INCOMING", "Facts", "FirstCopy", "History", "Policy", "decide", "identity"]
