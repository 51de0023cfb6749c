"""The layouts that are recognised, one file per architecture.

Order matters where a less specific layout would also match: the more specific comes first.
"""

from jaxsr.interop.layout import Layout
from jaxsr.interop.layouts import (
    carn,
    dbpn,
    drcn,
    edsr,
    espcn,
    fsrcnn,
    imdn,
    mdsr,
    pan,
    rcan,
    rdn,
    rlfn,
    srcnn,
    srvgg,
    swinir,
    vdsr,
)

LAYOUTS: tuple[Layout, ...] = (
    *swinir.LAYOUTS,
    *dbpn.LAYOUTS,
    *imdn.LAYOUTS,
    *pan.LAYOUTS,
    *rlfn.LAYOUTS,
    *rcan.LAYOUTS,
    *rdn.LAYOUTS,
    *mdsr.LAYOUTS,
    *carn.LAYOUTS,
    *edsr.LAYOUTS,
    *srvgg.LAYOUTS,
    *vdsr.LAYOUTS,
    *drcn.LAYOUTS,
    *fsrcnn.LAYOUTS,
    *espcn.LAYOUTS,
    *srcnn.LAYOUTS,
)
