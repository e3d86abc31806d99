"""The probe: a made-up pupil who logs in at a running broker and ends inside a made-up supplier.

It plays browser, school and supplier in one process, over HTTP, and reaches nobody but the broker.
Unlike the parties of the demo it speaks our own protocol code: it finds out whether logging in
works, not whether we read the standards right.
"""
