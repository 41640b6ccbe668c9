"""From sources to batches: splits, lanes, streams, and data sets that are not ours."""
