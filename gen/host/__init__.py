"""The host program of a board: the standard library and pyserial alone, as bundles carry this room
whole."""
