"""LogLLM's method on pretrained models: an encoder, a projector and a Llama, tuned in stages and exported as a bundle."""
