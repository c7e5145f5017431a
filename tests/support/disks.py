"""File systems of a few pages, as whoever may have namespaces of their own can mount them."""

from __future__ import annotations

import subprocess


def small_disks() -> bool:
    """Whether this user may mount one."""
    try:
        words = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False
