"""What a school sees before and after it decides: what would be sent, who could match its pupils,
and registers made from what is live."""
