"""Tests of rtl/."""
