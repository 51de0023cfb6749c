"""The layouts that are recognised, one file per architecture.

Order matters where a less specific layout would also match: the more specific comes first.
"""

from jaxsr.interop.layout import Layout
from jaxsr.interop.layouts import edsr

LAYOUTS: tuple[Layout, ...] = (*edsr.LAYOUTS,)
