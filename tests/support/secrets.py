"""What is secret in every installation, and what may be read in the database although it is not
for every eye.
"""

from collections.abc import Mapping

OWN = ("BOKIO_CLIENT_SECRET", "FIELD_ENCRYPTION_KEYS", "SECRET_KEY")  # in the environment
# Where people's numbers stand as they are: lists are searched by them, and Bokio wants them back.
IN_CLEAR: Mapping[str, set[str]] = {
    "connections_connection": {"org_number"},
    "invoicing_customer": {"org_number", "vat_number"},
}
