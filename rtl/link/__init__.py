"""The serial link in front of an accelerator."""
