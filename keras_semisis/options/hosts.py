"""Which of several processes this is."""

from dataclasses import dataclass

from keras_semisis.options.option import RUN, option


@dataclass(kw_only=True)
class HostOptions:
    """How the processes of a training find each other. It is another for each of them, and no run keeps it."""

    coordinator: str | None = option(
        None,
        "HOST:PORT of the first of several processes that train together, on JAX; see docs/scale.md. By default "
        "KERAS_DISTRIBUTION_JOB_ADDRESSES, or one process.",
        RUN,
        of_resume=True,
    )
    processes: int | None = option(
        None,
        "How many they are; by default KERAS_DISTRIBUTION_NUM_PROCESSES, or SLURM's number.",
        RUN,
        of_resume=True,
        min=1,
    )
    process: int | None = option(
        None,
        "Which of them this is, from 0; by default KERAS_DISTRIBUTION_PROCESS_ID, or SLURM's or Kubernetes's number.",
        RUN,
        of_resume=True,
        min=0,
    )
