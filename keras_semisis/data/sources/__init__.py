"""Where photos and label maps come from: folders, published data sets, packs, synthetic scenes."""
