"""What a network is: spec, integer golden model, trainable layers, data, training."""
