"""What was drawn on photos in programs of others: COCO, labelme, CVAT, Label Studio, and layers; read as shapes."""
