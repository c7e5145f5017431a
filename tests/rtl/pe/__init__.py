"""Tests of rtl/pe/."""
