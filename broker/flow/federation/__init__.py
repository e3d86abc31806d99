"""From federation documents to the registry in force: read, check, compile, plan, put in force.

    documents   files -> StatedDocument: the table, with the texts of the files that it names
    schools, logins, suppliers, agreements, relations
                each checks one document and compiles it to its record
    links       what must hold between documents (relation_links: between schools that go on)
    plan        what an apply would change
    change      all of that, to one CheckedChange that a store writes whole
    snapshots   the registry in force in a worker, swapped when a version counter moves

Every problem is found before anything is refused, each with its file, key path and remedy.
"""
