"""CIFAR-10 as its authors publish it."""
