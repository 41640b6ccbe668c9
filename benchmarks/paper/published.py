"""The figures of arXiv 2306.13585: (Fréchet distance, mIoU in %) by method and ratio.

They were measured at 256 pixels and more, with the Inception network's features: they compare among themselves.
"""

CITYSCAPES = {
    ("usis", 0.0): (50.1, 42.3),
    ("oasis", 0.1): (66.1, 57.8), ("tcr", 0.1): (98.4, 56.4), ("semi_paired", 0.1): (48.9, 60.4),
    ("oasis", 0.2): (57.3, 60.8), ("tcr", 0.2): (70.3, 61.1), ("semi_paired", 0.2): (45.6, 64.8),
    ("oasis", 0.4): (49.9, 62.58), ("tcr", 0.4): (59.7, 64.5), ("semi_paired", 0.4): (46.8, 66.6),
    ("oasis", 0.6): (49.9, 62.9), ("tcr", 0.6): (49.6, 66.7), ("semi_paired", 0.6): (47.5, 67.4),
    ("spade", 1.0): (71.8, 62.3), ("cc_fpse", 1.0): (54.3, 65.5),
    ("oasis", 1.0): (47.7, 69.3), ("tcr", 1.0): (52.4, 69.8), ("semi_paired", 1.0): (46.4, 71.1),
    # table 2
    ("A", 0.2): (53.3, 49.9), ("B", 0.2): (47.0, 56.8), ("C", 0.2): (49.8, 62.0), ("D", 0.2): (51.0, 61.9),
    ("E", 0.2): (48.1, 61.8), ("F", 0.2): (46.5, 64.7),
}
