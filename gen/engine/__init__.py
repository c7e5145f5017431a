"""From a plan to blocks: hardware beside its cycle model, the schedule, and the accelerator."""
