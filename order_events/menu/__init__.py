"""A restaurant's menu: its entries, the rules it must obey, and its CSV form."""
