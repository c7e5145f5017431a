"""What every step stands on: devices, tools in child processes, the cache of built steps, files."""
