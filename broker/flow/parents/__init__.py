"""Parents: the codes in a school's letters, and who gets in by one."""
