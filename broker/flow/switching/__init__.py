"""A school changes its login: rehearsed, switched by class or all, and taken back."""
