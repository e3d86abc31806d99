"""Schuilnaam: a federated login broker for schools."""
