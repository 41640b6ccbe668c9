"""What a run, and each command, may be told. Nothing here imports Keras, so that the program reads its options at once."""
