"""From a network and a device to a plan: fold candidates of each layer, and the choice of one."""
