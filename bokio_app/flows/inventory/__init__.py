"""The audit after the fact: what Bokio holds of ours is read once more, later and cheaply."""
