"""The flows over ports in memory: no HTTP, no database, no process.

`login_world.py` plays whole logins and is where to begin: `test_login_combinations.py` shows how.
Fakes of the ports: `port_fakes.py`, `fakes.py` and `memory_...py`; documents:
`federation_builders.py`. A test is named after its module in `broker/flow/`, or `test_login_...`
when it takes a whole login.
"""
