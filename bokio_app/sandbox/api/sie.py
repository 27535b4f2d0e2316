"""The SIE file of a fiscal year."""

from bokio_app.sandbox import files, sie
from bokio_app.sandbox.api import company
from bokio_app.sandbox.api.registry import Context, operation
from bokio_app.sandbox.wire import Answer


@operation("GET", "/sie/{fiscalYearId}/download", "download-sie-file", scope="sie:read")
def download(context: Context) -> Answer:
    year = company.find_fiscal_year(context)
    name = f"{year.start:%Y%m%d}-{year.end:%Y%m%d}.se"
    headers = {
        "Content-Type": files.OCTETS,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Answer(200, sie.sie_file(context.company, year), headers)
