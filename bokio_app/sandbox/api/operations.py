"""Importing this module fills the table of operations: each module registers its own."""

import pkgutil
from importlib import import_module

from bokio_app.sandbox import api, oauth

MODULES = (
    *(import_module(f"{api.__name__}.{each.name}") for each in pkgutil.iter_modules(api.__path__)),
    oauth,
)
