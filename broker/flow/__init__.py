"""The journeys: login, token, release. Async, over ports (Protocol classes); no HTTP.

`login.py` shows one login from the supplier's request to the answer.
"""
