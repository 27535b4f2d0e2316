"""Reads the colours of static/app.css and measures contrast as WCAG 2.2 defines it."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SHEET = ROOT / "static" / "app.css"
TOKEN = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9A-Fa-f]{6}),\s*(#[0-9A-Fa-f]{6})\);")


def colours(css: str, theme: str) -> dict[str, str]:
    """Every colour token by name, as `#RRGGBB`; `theme` is light or dark."""
    return {name: light if theme == "light" else dark for name, light, dark in TOKEN.findall(css)}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same colour) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
