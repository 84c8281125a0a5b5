"""One of several processes that train a job together: `python -m engine.rank_process JOB RUN [LOOKS]`.

With LOOKS the process sends itself SIGTERM when its stop flag has been looked at so often; a stop ends it with 75.
`python -m engine.rank_process talk` prints what the ranks tell each other.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch

from engine.engine_runs import MemoryRows
from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.core.job import read_job
from llmlora.core.layout import run_dir
from llmlora.engine.batch import Subset
from llmlora.engine.ranks import join_ranks
from llmlora.engine.train import fit, publish_trained
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from llmlora.worker.frame import watch_stop_signals

ROWS = MemoryRows(17)
TRAIN_ROWS, EVAL_ROWS = Subset(ROWS, range(13)), Subset(ROWS, range(13, 17))


class SignalledFlag:
    """A worker's stop flag in a process that signals itself at a look."""

    def __init__(self, looks):
        self.flag, self.looks = watch_stop_signals(), looks

    def __bool__(self):
        self.looks -= 1
        if self.looks == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return bool(self.flag)


def train(folder, run, looks):
    job = read_job(folder)
    base = open_folder(Path(job.base_dir))
    events = EventWriter(run_dir(folder, run), run)
    try:
        trained = fit(job, base, folder, run, (TRAIN_ROWS, EVAL_ROWS), events, SignalledFlag(looks))
    except Stopped:
        return 75
    publish_trained(trained, job, base, folder, load_template(base.tokenizer_dir, None), {})
    return 0


def talk():
    """Rank 0 has gradients for the first two weights, rank 1 for the second; nobody for the third."""
    ranks = join_ranks("cpu")
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
    for weight in weights[ranks.rank : 2]:
        weight.grad = torch.full((2,), 1.0 + ranks.rank)
    ranks.sum_gradients(weights)
    told = {
        "sum": ranks.sum(0.1, 10 + ranks.rank),
        "agree": [ranks.agree(ranks.rank == 1), ranks.agree(0)],
        "share": ranks.share(lambda: {"made_by": ranks.rank}),
        "own": list(ranks.own(range(5))),
        "is_first": ranks.is_first,
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in weights],
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "talk":
        sys.exit(talk())
    sys.exit(train(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else -1))
