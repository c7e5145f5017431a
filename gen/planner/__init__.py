"""From a network and a device to a plan: which foldings there are, and the choice among them."""
