"""Amaranth components: streams and integers, never networks or files."""
