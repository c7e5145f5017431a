"""Tests of rtl/link/."""
