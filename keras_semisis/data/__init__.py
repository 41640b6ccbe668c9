"""Photos and label maps in, batches out."""

from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.packs.packing import write_records
from keras_semisis.data.packs.records import Records
from keras_semisis.data.sources.ade20k import ADE20K
from keras_semisis.data.sources.camvid import CamVid
from keras_semisis.data.sources.cityscapes import Cityscapes
from keras_semisis.data.sources.coco_stuff import COCOStuff
from keras_semisis.data.sources.folder import Folder
from keras_semisis.data.sources.hugging_face import HuggingFace
from keras_semisis.data.sources.source import Source
from keras_semisis.data.sources.synthetic.scenes import SyntheticScenes
from keras_semisis.data.sources.tfds import TFDS
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.data.statistics.counting import class_statistics
from keras_semisis.data.statistics.missing import missing_classes
from keras_semisis.data.statistics.rare_classes import rare_class_probabilities
from keras_semisis.data.statistics.snapped import SnapReport, snap_report
from keras_semisis.data.stream.batch_stream import BatchStream
from keras_semisis.data.stream.pipeline import paired_dataset, training_stream, unpaired_dataset
from keras_semisis.data.stream.rejection import rejection_sample, stream_rejection_sample
from keras_semisis.data.stream.split import semi_paired_split

__all__ = [
    "ADE20K",
    "TFDS",
    "BadFiles",
    "BatchStream",
    "COCOStuff",
    "CamVid",
    "Cityscapes",
    "ClassStatistics",
    "DataError",
    "Folder",
    "HuggingFace",
    "LabelSpace",
    "Records",
    "SnapReport",
    "Source",
    "SyntheticScenes",
    "class_statistics",
    "missing_classes",
    "paired_dataset",
    "rare_class_probabilities",
    "rejection_sample",
    "semi_paired_split",
    "snap_report",
    "stream_rejection_sample",
    "training_stream",
    "unpaired_dataset",
    "write_records",
]
