"""Which browser is driven: the system's, since Playwright's own is a download of its own."""

import shutil

# The shell is the same browser without its windows: a third of the processor time, and its pages
# are never put behind other programs as those of a window that nobody sees.
PACKAGE = "chromium-headless-shell"
NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Return the path of the first that is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)
