"""Who logs in: the register of persons, and the rules on which account opens."""
