"""Carries orders to what a restaurant already has: kitchen printers and points of sale.

Programs of their own, which need a server's address and a token and nothing else of it.
"""
