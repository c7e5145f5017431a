"""Energy of an image from the toggles of the simulated netlist: the reference of gen.cost.energy.

netlist: a net a bit, each with the kind of cell that drives it. saif: what a simulator counted.
activity: toggles by kind of cell. reference: energy of an image. published: the measured designs
that the coefficients are fitted to.
"""
