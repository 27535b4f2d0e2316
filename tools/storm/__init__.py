"""`make storm`: thousands of invoices while processes die, and what Bokio's books hold afterwards.

`wanted` says what is ordered, `scene` runs the real processes, `weather` what befalls them,
`feeding` orders as people and files do, `drive` leads through it, `books` compares to the öre.
"""
