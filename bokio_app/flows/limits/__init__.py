"""The shared limiter: how many calls a company gets, and one write at a time per address."""
