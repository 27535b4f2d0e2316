"""Pictures with a palette of 256 colours: plenty for pages, and less than half the size."""

import base64
import struct
import zlib
from pathlib import Path

from playwright.sync_api import Page

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INDEXED = 3
COUNT = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) ?? 0) + 1);
  const colours = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const parts = (each) => [each & 255, (each >> 8) & 255, (each >> 16) & 255];
  const channels = colours.map(parts);
  const palette = [], nearest = colours.map(() => 0), least = colours.map(() => Infinity);
  const add = (place) => {
    const [r, g, b] = channels[place];
    channels.forEach(([red, green, blue], at) => {
      const distance = (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2;
      if (distance < least[at]) [nearest[at], least[at]] = [palette.length, distance];
    });
    palette.push(channels[place]);
  };
  for (let place = 0; place < Math.min(128, colours.length); place += 1) add(place);
  while (palette.length < Math.min(256, colours.length))
    add(least.reduce((worst, distance, at) => (distance > least[worst] ? at : worst), 0));
  const places = new Map(colours.map((colour, at) => [colour, nearest[at]]));
  const indexes = Uint8Array.from(pixels, (each) => places.get(each));
  let text = "";
  for (let at = 0; at < indexes.length; at += 32768)
    text += String.fromCharCode(...indexes.subarray(at, at + 32768));
  return [width, height, palette.flat(), btoa(text)];
}"""
"""A palette of a picture, and for each pixel the place of the nearest colour in it.

Half of the palette are the commonest colours. Each other one is the worst served so far, so that
a small mark keeps its own: amber and red say different things.
"""


def shrink(picture: bytes, page: Page) -> bytes:
    """The picture with a palette, worked out in a page of the browser's that is open on nothing."""
    width, height, palette, encoded = page.evaluate(COUNT, base64.b64encode(picture).decode())
    indexes = base64.b64decode(encoded)
    rows = (indexes[at : at + width] for at in range(0, len(indexes), width))
    lines = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, INDEXED, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", bytes(palette)), (b"IDAT", lines), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def keep_smaller(path: Path, page: Page) -> None:
    """Leave the picture in whichever form is smaller."""
    picture = path.read_bytes()
    path.write_bytes(min(picture, shrink(picture, page), key=len))
