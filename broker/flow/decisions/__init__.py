"""What a school or its board decides: looked at, prepared, signed, stopped, and put in force."""
