"""Where pictures are taken: windows in Swedish before the running application."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from tests.support.processes import Stack
from tests.support.walk import Walk
from tools import programs

FOLDER = programs.ROOT / "docs" / "pictures"
EMAIL = "demo@example.com"
DESK, PHONE = (1440, 900), (390, 844)
LIGHT, BOTH = ("light",), ("light", "dark")


@dataclass
class Studio:
    """A browser and the application. `taken` lists the files that were written."""

    browser: Browser
    stack: Stack
    password: str
    taken: list[Path] = field(default_factory=list)

    @contextmanager
    def window(
        self, size: tuple[int, int] = DESK, *, sign_in: bool = True, scale: float = 1
    ) -> Iterator[Walk]:
        """A window for as long as a scene needs it; `scale` is pixels per CSS pixel."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            locale="sv-SE",
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        app_url, sandbox_url = self.stack.app_url, self.stack.sandbox.url
        for name, value in (("bokio_app_language", "sv"), ("theme", "system")):
            context.add_cookies([{"name": name, "value": value, "url": app_url}])
        walk = Walk(page=context.new_page(), app_url=app_url, sandbox_url=sandbox_url)
        if sign_in:
            walk.sign_in(EMAIL, self.password)
        yield walk
        context.close()

    @contextmanager
    def phone(self) -> Iterator[Walk]:
        """A window as small as a telephone's."""
        with self.window(PHONE, scale=1.5) as walk:
            yield walk

    def take(
        self, page: Page, name: str, *, themes: tuple[str, ...] = LIGHT, tall: int = 0
    ) -> None:
        """Keep what the window shows as `<name>-<theme>.png`; `tall` is another height for it.

        A toast would be gone in six seconds anyway, and is not shown.
        """
        size = page.viewport_size or ViewportSize(width=DESK[0], height=DESK[1])
        page.set_viewport_size({"width": size["width"], "height": tall or size["height"]})
        page.evaluate("document.querySelectorAll('#toasts > *').forEach(each => each.remove())")
        for theme in themes:
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.evaluate("document.fonts.ready")
            path = FOLDER / f"{name}-{theme}.png"
            page.screenshot(path=path, animations="disabled", caret="hide")
            self.taken.append(path)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(size)
