from keras_semisis.cli import main

main()
