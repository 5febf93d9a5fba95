"""The lecture: every claim of the slides judged by the engine, and the errata found again.

- `run(only="50-58,E1", claims="file.json")` judges claims and gives a list of `Row`.
- `text(rows)` writes them for a terminal of 80 columns, `as_json(rows)` as a list of dicts.

>>> [row] = run("63")
>>> row.shape_stated, row.shape_found, row.verdict
('M x (M x N)', 'M x (M x N)', 'holds')
"""

from .judging import run
from .printing import as_json, text
from .rows import Row

__all__ = ["Row", "as_json", "run", "text"]
