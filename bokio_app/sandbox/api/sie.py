"""The books of a fiscal year as an SIE file."""
