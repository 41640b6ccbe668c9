"""The commands, one a file: each reads its options, and prints what a function of `keras_semisis.recipes` returns."""
