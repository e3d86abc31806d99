"""What other sites say or ask by sending a browser here, without logging anybody in."""
