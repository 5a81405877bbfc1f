"""The engine: polls sources, finds changes, decides who is told, and sends."""
