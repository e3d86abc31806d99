"""The agreement between school, supplier and pupil. Pure: no I/O, clock or framework.

Begin with `release.py` (what goes out) and `identity.py` (who logged in). `documents.py` is what is
written down, `federation.py` what workers read of it, `registry.py` all of that at one moment. What
changes and must not cost the pupil the work: `switches.py` (logins), `relations.py` (schools),
`transfers.py` (education sectors), `takeover.py` (accounts keyed on the ECK iD), `enrolment.py`
(who is there), `stated_schools.py` (somebody at several schools). Refusals stand beside their
checks; `refusals.py` is what they have in common.
"""
