"""A school tests its own login, and sees what is left to do before it goes live."""
