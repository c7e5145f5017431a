"""A network on a board: plan beside the link, bitstream, bundle, loader."""
