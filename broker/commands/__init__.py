"""The commands of `broker`, one module for each group; `broker.__main__` puts them together.

The module is named after the first word behind `broker`, but for `registry.py` (apply, check),
`running.py` (serve, demo), `switching.py` (rehearse, switch), `operators.py` (confirm, person
erase), `transfers.py` (also person protect, split, ...), `enrolment.py` (enrol) and `losses.py`
(accept-loss). What a command decides stands in `broker.flow`, where the API and the demo find it
too; `problems.py` tells people what is wrong.
"""
