"""Methods that `logguardian benchmark` compares a bundle with."""
