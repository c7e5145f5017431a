"""What is built, as pure data: lowered layers, their shapes, arrays of folds, the plan."""
