"""`billing init`: an empty workspace whose files explain themselves.

Every reference file gets its header and one example row. The rows form a valid set and price nothing: they name an
example customer, product and source that no vendor file has, and every range ended in the year 2000.
"""

import csv
import io
from pathlib import Path

from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.schemas.reference_file import ReferenceFile
from resources.lake import replacing
from resources.workspace import Workspace

BILLING_TOML = """\
# One workspace is one organisation. Change what stands here; an unknown key is an error that names it.

[organisation]
id = "contoso"                       # letters, digits, - and _
name = "Contoso Cloud Ltd"           # as printed on documents
time_zone = "Europe/Athens"          # IANA name: days begin and the daily job runs in this zone
currency = "EUR"                     # ISO 4217, base currency
country = "GR"                       # ISO 3166-1 alpha-2
charges_start_on = 2026-01-01        # customer charges: nothing generated earlier
standard_edition_since = 2025-06-01  # customer charges: since when this edition is in use
# show_invoice_numbers = true        # false where the distributor does not allow displaying its invoices
# invoice_link = "https://shop.example/invoices/{invoice_number}"
# logo = "logo.png"                  # relative to this folder
# address = "1 Example Street, Athens"
# email = "billing@contoso.example"
# phone = "+30 210 0000000"
# tax_id = "EL000000000"
# payment_terms_days = 30            # from issue to due date, where the customer has no own term
# invoice_series = "INV"             # numbers: INV-2026-000001, gapless within the series and year

# One block per vendor feed. Its files are dropped into landing/<id>, at any folder depth; a folder named
# received=YYYY-MM-DD in the path says when they arrived, else the file's modification time does. Where they do not hold
# the vendor's totals, drop those beside them as invoice_totals.csv.

# [[sources]]
# id = "aws"
# format = "aws_cur"                 # aws_cur: AWS Cost and Usage Report, legacy (manifest and chunks)
# vendor = "AWS"                     # the name that rules with scope `vendor` use
# settles_after_business_days = [5, 15]   # usual, in business days of the organisation's country after the month
# tolerance = "0"                    # accepted difference between the vendor's total and the rows
# stable_after_seconds = 60          # for slow uploads: files modified more recently wait for the next run
# invoiced_through = "distributor"   # a distributor's invoices bill what this feed itemises: never charge it twice
# requires_checksum = true           # take only files that match a checksum file beside them: NAME.sha256, SHA256SUMS

# [[sources]]
# id = "cloud"
# format = "focus"                   # focus: FOCUS 1.0-1.4, CSV or Parquet
# vendor = "Cloud Vendor"
# folder = "landing/cloud"           # where the files are, if not landing/<id>

# [[sources]]
# id = "distributor"
# format = "distributor_invoice"     # distributor_invoice: CSV, JSON or XLSX
# vendor = "Distributor"
# currency = "EUR"                   # for files that name none

# [ledger]
# url = "sqlite:///ledger.db"        # relative to this folder; or postgresql+psycopg://user@host/database

# [documents]
# html_template = "templates/invoice.html.j2"   # your own layouts, relative to this folder
# typst_template = "templates/invoice.typ"

# [views.accounting]                 # a saved choice of customer charges; the one called `default` is for daily files
# columns = ["Customer", "Description", "Total Sell Price"]
# filters = ["Type=Debit", "Quantity=1.."]
# where = "unit is not null"
# sort = "Customer,Total Sell Price:desc"
# formats = ["xlsx", "csv"]

# [mail]                             # for `billing mail send`
# host = "smtp.example"
# security = "starttls"              # port 587; or "tls", port 465; "none", port 25, only within your own network
# username = "billing"
# password_variable = "BILLING_MAIL_PASSWORD"   # environment variable that holds the password; it never stands here
# sender = "Contoso Cloud <billing@contoso.example>"
# link = "https://shop.example/invoices/{invoice_number}.pdf"   # also {invoice_id}, {customer_id}
"""


def init_workspace(directory: Path) -> list[Path]:
    """Write an empty workspace with templates.

    Args:
        directory: folder to fill; made where it is absent.

    Returns:
        The files written, in the order in which one fills them in.

    Raises:
        ConfigurationInvalid: it holds a `billing.toml` or a reference file already; then nothing is written.
    """
    workspace = Workspace.at(directory)
    contents = {workspace.config_file: BILLING_TOML}
    contents |= {workspace.reference / f"{file.name}.csv": reference_template(file) for file in REFERENCE_FILES}
    existing = [path for path in contents if path.exists()]
    if existing:
        raise ConfigurationInvalid(f"{existing[0]} exists already; name an empty folder, nothing was written")
    (workspace.home / "landing").mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        with replacing(path) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="")
    return list(contents)


def reference_template(file: ReferenceFile) -> str:
    """Return the text of one reference file with its header and its example row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(file.column_names)
    writer.writerow(column.example for column in file.columns)
    return text.getvalue()
