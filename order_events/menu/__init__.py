"""A restaurant's menu: its entries, the rules they must satisfy, and its CSV form."""
