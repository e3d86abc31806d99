"""What a pupil or parent asks of the school: an objection, a correction, an erasure."""
