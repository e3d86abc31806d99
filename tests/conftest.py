"""What every test gets: hypothesis without a deadline, for a loaded machine is no failure."""

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.load_profile("default")
