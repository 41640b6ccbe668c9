"""``python -m keras_semisis.cli``, which is the command `keras-semisis`."""

from keras_semisis.cli import main

main()
