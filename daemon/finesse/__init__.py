"""Calls that ring: whom they are told, and in which words."""
